"""Names, types and platforms of files."""

import pytest

from registry.domain.licensing import files
from registry.errors import AttributeInvalid


@pytest.mark.parametrize(
    "filename",
    [
        "a.zip",
        "prod-1/install.sh",
        "@acme/node",
        "Product-1.0.0.AppImage",
        ".hidden",
        "...",
        "a b",
        "日本語.zip",
        "x" * 255,
        "a..b/c",
        "'",
        "f\u200did",
    ],
)
def test_filenames(filename: str) -> None:
    """A filename may have folders before it, and any characters that can be seen."""
    files.expect_filename(filename)


@pytest.mark.parametrize(
    "filename",
    [
        "",
        "/etc/passwd",
        "a//b",
        "a/",
        "../a",
        "a/../b",
        "a/..",
        ".",
        "a/./b",
        "a\\b",
        "..\\..\\a",
        "a\0",
        "a\nb",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "a\ud800",
        "cod\u202egpj.exe",
        "a\u2066b",
    ],
    ids=ascii,
)
def test_bad_filenames(filename: str) -> None:
    """A filename that leads elsewhere, or shows something else than it is, is refused."""
    with pytest.raises(AttributeInvalid) as raised:
        files.expect_filename(filename)
    assert (raised.value.attribute, raised.value.problem) == ("filename", "INVALID")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(None, None), ("", None), ("  ", None), (".", None), (".AppImage", "appimage"), (" .tar.GZ ", "tar.gz")],
)
def test_filetypes(sent: str | None, kept: str | None) -> None:
    """A filetype is kept in lower case, without the dot; nothing is null."""
    assert files.normalized_filetype(sent) == kept


@pytest.mark.parametrize(("sent", "kept"), [(None, None), ("", None), ("macOS ", "macos"), ("ARM64", "arm64")])
def test_platforms(sent: str | None, kept: str | None) -> None:
    """Platforms and architectures are kept in lower case; nothing is null."""
    assert files.normalized_platform(sent) == files.normalized_arch(sent) == kept


@pytest.mark.parametrize("normalize", [files.normalized_filetype, files.normalized_platform, files.normalized_arch])
def test_bad_words(normalize: object) -> None:
    """Such words are short, and can be seen."""
    assert callable(normalize)
    assert normalize("x" * 255) == "x" * 255
    for text, problem in [("x" * 256, "TOO_LONG"), ("a\0b", "INVALID"), ("a\ud800", "INVALID")]:
        with pytest.raises(AttributeInvalid) as raised:
            normalize(text)
        assert raised.value.problem == problem


@pytest.mark.parametrize(
    ("filename", "filetype"),
    [
        ("a.zip", None),
        ("a.zip", "zip"),
        ("A.ZIP", "zip"),
        ("Product-1.0.0.AppImage", "appimage"),
        ("a.tar.gz", "tar.gz"),
        ("a.tar.gz", "gz"),
        ("install", "bin"),
        ("v1.0/install", "bin"),
        ("@acme/node", None),
    ],
)
def test_extensions(filename: str, filetype: str | None) -> None:
    """A name ends as the filetype says; one without a dot may be of any type, whatever its folders are called."""
    files.expect_extension(filename, filetype)


@pytest.mark.parametrize(
    ("filename", "filetype"), [("a.zip", "exe"), ("azip.", "zip"), ("a.zip.x", "zip"), ("x.zip/a.b", "zip")]
)
def test_other_extensions(filename: str, filetype: str) -> None:
    """A name with another extension than its filetype is refused, by a code of its own."""
    with pytest.raises(AttributeInvalid) as raised:
        files.expect_extension(filename, filetype)
    assert (raised.value.attribute, raised.value.problem) == ("filename", "EXTENSION_INVALID")


def test_sizes() -> None:
    """A size is no less than nothing, and any JSON reader understands it."""
    for size in (None, 0, 5 * 2**40, files.FILESIZE_MAX):
        files.expect_filesize(size)
    for size in (-1, files.FILESIZE_MAX + 1):
        with pytest.raises(AttributeInvalid) as raised:
            files.expect_filesize(size)
        assert (raised.value.attribute, raised.value.problem) == ("filesize", "INVALID")


def test_texts() -> None:
    """Filenames, signatures and checksums have lengths of their own."""
    files.expect_signature(None)
    files.expect_signature("x" * 4096)
    files.expect_checksum("any text ☺")
    found = []
    for expect, text in [
        (files.expect_filename, "x" * 256),
        (files.expect_signature, "x" * 4097),
        (files.expect_checksum, "x" * 4097),
    ]:
        with pytest.raises(AttributeInvalid) as raised:
            expect(text)
        found.append((raised.value.attribute, raised.value.problem))
    assert found == [("filename", "TOO_LONG"), ("signature", "TOO_LONG"), ("checksum", "TOO_LONG")]


@pytest.mark.parametrize(
    ("filename", "wanted"),
    [
        ("a.zip", "application/zip"),
        ("dir.zip/A.TAR.GZ", "application/gzip"),
        ("latest-mac.yml", "application/yaml"),
        ("page.html", "application/octet-stream"),
        ("drawing.svg", "application/octet-stream"),
        ("script.js", "application/octet-stream"),
        ("a.unknown", "application/octet-stream"),
        ("dir.zip/install", "application/octet-stream"),
    ],
)
def test_content_types(filename: str, wanted: str) -> None:
    """A file's type follows from its extension, but what a browser would run is only bytes."""
    assert files.content_type(filename) == wanted


@pytest.mark.parametrize(
    ("filename", "wanted"),
    [
        ("prod-1/install.sh", 'attachment; filename="install.sh"'),
        ("a b;c.zip", 'attachment; filename="a b;c.zip"'),
        ('a"b.zip', "attachment; filename=\"a_b.zip\"; filename*=UTF-8''a%22b.zip"),
        ("50%.zip", "attachment; filename=\"50_.zip\"; filename*=UTF-8''50%25.zip"),
        ("naïve.zip", "attachment; filename=\"na_ve.zip\"; filename*=UTF-8''na%C3%AFve.zip"),
    ],
)
def test_disposition(filename: str, wanted: str) -> None:
    """A file is kept under its name without folders, in words that every client understands."""
    assert files.content_disposition(filename) == wanted
