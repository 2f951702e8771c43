"""The scrub: reads again and again what is stored, so that damage is found before somebody needs what it hit."""
