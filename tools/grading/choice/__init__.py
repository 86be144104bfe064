"""Multiple choice: which letter a response gives, as one extractor, and the graders that use it."""

VERSION = "1"
