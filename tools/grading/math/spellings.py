r"""Other spellings of one sign: HTML entities and tags, Unicode, other digits, quotation marks. For tools/grading/math/cleaning.py.

>>> plain_spelling("x<sup>2</sup> &le; ４２")
'x^{2} \\le  42'
>>> without_quotes('"42"')
'42'
"""

from __future__ import annotations

import re
import unicodedata
from html.entities import html5

SIGNS = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "×": r"\times ", "÷": r"\div ",
        "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "•": r"\cdot ", "∗": "*", "±": r"\pm ", "∓": r"\mp ", "∞": r"\infty ",
        "π": r"\pi ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ",
        "ε": r"\epsilon ", "ϵ": r"\epsilon ", "ζ": r"\zeta ", "η": r"\eta ", "κ": r"\kappa ", "ν": r"\nu ", "ξ": r"\xi ",
        "χ": r"\chi ", "ψ": r"\psi ", "ϕ": r"\phi ", "λ": r"\lambda ", "μ": r"\mu ", "µ": r"\mu ", "ρ": r"\rho ",
        "σ": r"\sigma ", "τ": r"\tau ", "φ": r"\phi ", "ω": r"\omega ", "Γ": r"\Gamma ", "Δ": r"\Delta ", "Θ": r"\Theta ",
        "Λ": r"\Lambda ", "Φ": r"\Phi ", "Ψ": r"\Psi ", "Ω": r"\Omega ", "\u2126": r"\Omega ", "Σ": r"\Sigma ", "Π": r"\Pi ",
        "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "≡": r"\equiv ", "⩽": r"\le ", "⩾": r"\ge ",
        "≦": r"\le ", "≧": r"\ge ", "≅": r"\cong ", "∼": r"\sim ", "∝": r"\propto ", "≔": "=",
        "∈": r"\in ", "∉": r"\notin ", "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "∅": r"\emptyset ", "⌀": r"\emptyset ",
        "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}",
        "⊂": r"\subset ", "⊆": r"\subseteq ", "⊃": r"\supset ", "⊇": r"\supseteq ", "→": r"\to ", "⟶": r"\to ",
        "⇒": r"\Rightarrow ", "⇔": r"\Leftrightarrow ", "∧": r"\land ", "∨": r"\lor ", "¬": r"\neg ", "∀": r"\forall ",
        "∃": r"\exists ", "∑": r"\sum ", "∏": r"\prod ", "∫": r"\int ", "∂": r"\partial ", "∇": r"\nabla ",
        "√": r"\sqrt ", "∛": r"\sqrt[3]", "∜": r"\sqrt[4]", "°": r"^\circ ", "º": r"^\circ ", "˚": r"^\circ ",
        "′": "'", "’": "'", "‘": "'", "″": "''", "‴": "'''", "…": r"\ldots ", "⋯": r"\cdots ", "∣": "|", "∥": r"\parallel ",
        "⊥": r"\perp ", "△": r"\triangle ", "▲": r"\triangle ", "⟨": r"\langle ", "⟩": r"\rangle ", "〈": r"\langle ",
        "〉": r"\rangle ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "ℓ": r"\ell ", "ħ": r"\hbar ",
        "€": r"\euro ", "£": r"\pounds ", "¥": r"\yen ", "₹": r"\rupee ", "₩": r"\won ", "₽": r"\ruble ", "¢": r"\text{ cents}",
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2002": " ", "\u2003": " ", "\u3000": " ", "\u200b": None,
        "\ufeff": None, "\u2061": None, "\u2062": None, "\u200e": None, "\u200f": None, "\u2060": None, "\u00ad": None,
        "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}",
        "⅕": r"\frac{1}{5}", "⅖": r"\frac{2}{5}", "⅗": r"\frac{3}{5}", "⅘": r"\frac{4}{5}", "⅙": r"\frac{1}{6}",
        "⅚": r"\frac{5}{6}", "⅐": r"\frac{1}{7}", "⅑": r"\frac{1}{9}", "⅒": r"\frac{1}{10}", "⅛": r"\frac{1}{8}",
        "⅜": r"\frac{3}{8}", "⅝": r"\frac{5}{8}", "⅞": r"\frac{7}{8}", "⁄": "/", "∕": "/", "℃": r"^\circ\text{C}",
        "℉": r"^\circ\text{F}", "∠": r"\angle ", "。": ".", "、": ",", "，": ",", "．": ".", "٫": ".", "٬": ",",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "「": '"', "」": '"', "『": '"', "』": '"',
    }
)  # fmt: skip
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺⁼⁽⁾ⁿⁱˣʸᵃᵇᶜᵈᵉᵏᵐᵖᵗ"
RAISED_SIGNS = str.maketrans(RAISED, "0123456789-+=()nixyabcdekmpt")
LOWERED = "₀₁₂₃₄₅₆₇₈₉₋₊₌₍₎ₐₑᵢⱼₖₘₙₓ"
LOWERED_SIGNS = str.maketrans(LOWERED, "0123456789-+=()aeijkmnx")
SUPERSCRIPTS = re.compile(f"[{RAISED}]+")
SUBSCRIPTS = re.compile(f"[{LOWERED}]+")
ENTITY = re.compile(r"&(#\d{1,6}|#[xX][0-9a-fA-F]{1,5}|[A-Za-z][A-Za-z0-9]{1,9});")
TAG = re.compile(r"<(/?)(sup|sub|b|i|em|strong|span|u|p|br|div|math|mi|mn|mo|code)\s{0,2}/?>", re.IGNORECASE)
OPENED = {"sup": "^{", "sub": "_{"}
QUOTES = ('"', "'", "`")


def plain_spelling(text: str) -> str:
    """Entities, tags and signs outside ASCII as LaTeX or ASCII; other scripts stay."""
    if "&" in text:
        text = ENTITY.sub(_character, text)
    if "<" in text:
        text = TAG.sub(_tag, text)
    if text.isascii():
        return text
    text = text.translate(SIGNS)
    text = SUPERSCRIPTS.sub(lambda match: "^" + _group(match.group().translate(RAISED_SIGNS)), text)
    text = SUBSCRIPTS.sub(lambda match: "_" + _group(match.group().translate(LOWERED_SIGNS)), text)
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text).translate(SIGNS)
    return "".join(str(unicodedata.decimal(sign, sign)) if not sign.isascii() else sign for sign in text)


def _group(signs: str) -> str:
    return signs if len(signs) == 1 else "{" + signs + "}"


def _character(match: re.Match[str]) -> str:
    name = match[1]
    if name.startswith("#"):
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        return chr(code) if 31 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
    return html5.get(name + ";", match.group())


def _tag(match: re.Match[str]) -> str:
    """`<sup>2</sup>` is a power; other tags only dress."""
    name = match[2].lower()
    if name in OPENED:
        return "}" if match[1] else OPENED[name]
    return " " if name in ("br", "p", "div") else ""


def without_quotes(text: str) -> str:
    """`'42'`, `"42"`, ``42'' without the marks, where they enclose the whole text and nothing else."""
    if text.startswith("``") and text.endswith("''") and len(text) > 4:
        return text[2:-2].strip()
    if len(text) > 2 and text[0] in QUOTES and text[0] == text[-1] and text.count(text[0]) == 2:
        return text[1:-1].strip()
    return text
