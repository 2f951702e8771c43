"""The files of releases: their names, types and platforms, and under which name and type they are downloaded."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

from registry.domain.licensing.attributes import TEXT_LENGTH_MAX, expect_length
from registry.errors import AttributeInvalid

SIGNATURE_LENGTH_MAX = CHECKSUM_LENGTH_MAX = 4096
# The largest whole number that every reader of JSON understands exactly.
FILESIZE_MAX = 2**53 - 1

_BINARY = "application/octet-stream"
# Nothing that a browser would run: pages, scripts, drawings and XML are sent as bytes.
_CONTENT_TYPES = {
    "7z": "application/x-7z-compressed",
    "apk": "application/vnd.android.package-archive",
    "blockmap": _BINARY,
    "bz2": "application/x-bzip2",
    "crate": "application/gzip",
    "csv": "text/csv; charset=utf-8",
    "deb": "application/vnd.debian.binary-package",
    "dmg": "application/x-apple-diskimage",
    "exe": "application/vnd.microsoft.portable-executable",
    "gem": "application/x-tar",
    "gz": "application/gzip",
    "jar": "application/java-archive",
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
    "msi": "application/x-msi",
    "pdf": "application/pdf",
    "pem": "application/x-pem-file",
    "png": "image/png",
    "rpm": "application/x-rpm",
    "sh": "text/x-shellscript; charset=utf-8",
    "tar": "application/x-tar",
    "tgz": "application/gzip",
    "txt": "text/plain; charset=utf-8",
    "wasm": "application/wasm",
    "whl": "application/zip",
    "xz": "application/x-xz",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "zip": "application/zip",
    "zst": "application/zstd",
}
# They turn the text after them round, so that what is shown ends in another extension than what is stored.
_TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}


def expect_filename(filename: str) -> None:
    """Raises `AttributeInvalid` unless a file can be kept under this name wherever it is unpacked.

    It may be in folders, with '/' between them, below the one where somebody wants it.
    """
    expect_length("filename", filename, TEXT_LENGTH_MAX)
    if any(part in {"", ".", ".."} for part in filename.split("/")):
        raise AttributeInvalid("filename", "has to be a path of names with single '/' between them, none '.' or '..'")
    if "\\" in filename or not _is_shown(filename):
        raise AttributeInvalid("filename", "may not contain '\\', nor characters that cannot be seen")


def normalized_filetype(filetype: str | None) -> str | None:
    """As it is kept: in lower case, without blanks around it and dots before it; None for nothing.

    Raises `AttributeInvalid`.
    """
    return _normalized("filetype", None if filetype is None else filetype.strip().lstrip("."))


def normalized_platform(platform: str | None) -> str | None:
    """As it is kept: in lower case, without blanks around it; None for nothing. Raises `AttributeInvalid`."""
    return _normalized("platform", platform)


def normalized_arch(arch: str | None) -> str | None:
    """As `normalized_platform`, for the architecture. Raises `AttributeInvalid`."""
    return _normalized("arch", arch)


def expect_extension(filename: str, filetype: str | None) -> None:
    """Raises `AttributeInvalid` when the file's name ends otherwise than its type, as it is kept, says.

    A name without a dot may be of any type; the folders that it is in have no extension.
    """
    name = filename_alone(filename)
    if filetype is None or "." not in name or name.lower().endswith(f".{filetype}"):
        return
    raise AttributeInvalid("filename", f"has to end with .{filetype}, as filetype says", "EXTENSION_INVALID")


def expect_filesize(filesize: int | None) -> None:
    """Raises `AttributeInvalid` unless this can be the size of a file, in bytes, or nothing was said."""
    if filesize is not None and not 0 <= filesize <= FILESIZE_MAX:
        raise AttributeInvalid("filesize", f"has to be from 0 to {FILESIZE_MAX}")


def expect_signature(signature: str | None) -> None:
    """Raises `AttributeInvalid` when it is too long; it may be any text."""
    expect_length("signature", signature or "", SIGNATURE_LENGTH_MAX)


def expect_checksum(checksum: str | None) -> None:
    """Raises `AttributeInvalid` when it is too long; it may be any text."""
    expect_length("checksum", checksum or "", CHECKSUM_LENGTH_MAX)


def filename_alone(filename: str) -> str:
    """The name without the folders that it is in."""
    return filename.rpartition("/")[2]


def content_type(filename: str) -> str:
    """As what a file of this name is sent."""
    extension = filename_alone(filename).rpartition(".")[2].lower()
    return _CONTENT_TYPES.get(extension, _BINARY)


def content_disposition(filename: str) -> str:
    """The header that has a client keep the file under its name, without folders (RFC 6266)."""
    name = filename_alone(filename)
    # Clients that do not know the second form have more than one opinion about what these mean in the first.
    plain = "".join(character if " " <= character <= "~" and character not in '"\\%' else "_" for character in name)
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def _normalized(attribute: str, text: str | None) -> str | None:
    normalized = "" if text is None else text.strip().lower()
    expect_length(attribute, normalized, TEXT_LENGTH_MAX)
    if not _is_shown(normalized):
        raise AttributeInvalid(attribute, "may not contain characters that cannot be seen")
    return normalized or None


def _is_shown(text: str) -> bool:
    return not any(
        unicodedata.category(character) in _UNPRINTABLE or unicodedata.bidirectional(character) in _TURNING
        for character in text
    )
