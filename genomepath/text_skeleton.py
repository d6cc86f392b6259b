"""Writes a text as it looks: letters of other scripts that look like Latin ones become these, marks and tricks disappear.

The idea is the skeleton of Unicode Technical Standard 39, kept to what free text meets: compatibility forms (full width,
mathematical letters) by NFKC, combining marks, invisible characters, and the Cyrillic, Greek and Latin letters that a reader
takes for a Latin one. Name and text are written so before they are compared, so that a name in Cyrillic is found as well.
Digits and signs in the place of letters ('c4n4r10') are undone apart, and in words that mix both alone.
"""

from __future__ import annotations

import re
import unicodedata

_ALIKE = {
    # Cyrillic
    "А": "a", "В": "b", "Е": "e", "З": "3", "І": "i", "Ј": "j", "К": "k", "М": "m", "Н": "h", "О": "o", "Р": "p", "С": "c",
    "Т": "t", "У": "y", "Х": "x", "Ѕ": "s", "Һ": "h", "Ԁ": "d", "Ԛ": "q", "Ԝ": "w", "Ь": "b", "Ү": "y", "Ғ": "f", "Ӏ": "l",
    "а": "a", "в": "b", "е": "e", "з": "3", "і": "i", "ј": "j", "к": "k", "м": "m", "н": "h", "о": "o", "р": "p", "с": "c",
    "т": "t", "у": "y", "х": "x", "ѕ": "s", "һ": "h", "ԁ": "d", "ԛ": "q", "ԝ": "w", "ь": "b", "ү": "y", "ғ": "f", "ӏ": "l",
    "г": "r", "п": "n", "и": "u", "ѵ": "v", "Ѵ": "v", "ҽ": "e",
    # Greek
    "Α": "a", "Β": "b", "Ε": "e", "Ζ": "z", "Η": "h", "Ι": "i", "Κ": "k", "Μ": "m", "Ν": "n", "Ο": "o", "Ρ": "p", "Τ": "t",
    "Υ": "y", "Χ": "x", "α": "a", "β": "b", "γ": "y", "ε": "e", "η": "n", "ι": "i", "κ": "k", "μ": "u", "ν": "v", "ο": "o",
    "ρ": "p", "σ": "o", "ς": "c", "τ": "t", "υ": "u", "χ": "x", "ω": "w", "Ϲ": "c", "ϲ": "c", "Ϳ": "j", "ϳ": "j",
    # Latin letters that no decomposition makes plain
    "ı": "i", "ɑ": "a", "ɡ": "g", "ɩ": "i", "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "đ": "d", "Đ": "d", "ħ": "h", "Ħ": "h",
    "ŧ": "t", "Ŧ": "t", "ɛ": "e", "ɔ": "o", "ɴ": "n", "ʀ": "r", "ʏ": "y", "ᴀ": "a", "ᴄ": "c", "ᴇ": "e", "ᴍ": "m", "ᴏ": "o",
}  # fmt: skip
_ALIKE_TABLE = str.maketrans(_ALIKE)
_LEET_TABLE = str.maketrans("013457@$!|", "oleastasil")
_LEET = re.compile(r"[013457@$!|]")
_LETTER = re.compile(r"[^\W\d_]")
# Marks of Indic and other scripts are letters of their words and stay; these blocks hold what is put on any letter.
_PUT_ON_LETTERS = (
    ("\u0300", "\u036f"), ("\u0483", "\u0489"), ("\u1ab0", "\u1aff"), ("\u1dc0", "\u1dff"), ("\u20d0", "\u20ff"),
    ("\ufe20", "\ufe2f"),
)  # fmt: skip


def skeleton(text: str) -> str:
    """The text in small letters as it looks to a reader. Not for display."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text))
    bare = "".join(character for character in apart if not _disappears(character))
    folded = unicodedata.normalize("NFKD", bare.translate(_ALIKE_TABLE).casefold())
    return "".join(character for character in folded if not _disappears(character)).translate(_ALIKE_TABLE)


def without_leet(text: str) -> str:
    """The text with letters for the digits and signs that stand for them within words."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(_letters_for_signs(part) for part in re.split(r"(\s+)", folded))


def leet_key(name: str) -> str:
    """A name as it compares with text that ``without_leet`` has written: one and i stand for each other and for l."""
    return name.translate(_LEET_TABLE).replace("i", "l")


def _letters_for_signs(word: str) -> str:
    """A sign at the edge of a word is punctuation."""
    core = word.strip("!|")
    mixed = _LEET.search(core) and _LETTER.search(core)
    return word.replace(core, core.translate(_LEET_TABLE)) if mixed else word


def _disappears(character: str) -> bool:
    if unicodedata.category(character) == "Cf":
        return True
    return any(first <= character <= last for first, last in _PUT_ON_LETTERS)
