"""IFBench's checks of how words and sentences follow each other: first letters, lengths, syllables, positions.

>>> goes_through_the_alphabet("Young zebras are brave."), has_prime_lengths("He saw three birds.")
(True, True)
>>> grows_by("One two. One two three four.", small_n=2)
True
"""

from __future__ import annotations

import re
import string
from itertools import pairwise

from tools.grading.instructions.comparing import Checks
from tools.grading.instructions.text import EDGES, plain_words, sentences, tokens, without_punctuation, word_tokens
from tools.grading.instructions.verbs import starts_with_verb

_ALPHABET = string.ascii_lowercase
_CLUSTER = re.compile("[bcdfghjklmnpqrstvwxyz]{2}")
_PRIMES = frozenset(n for n in range(2, 100) if all(n % divisor for divisor in range(2, n)))


def goes_through_the_alphabet(text: str) -> bool:
    """Each word begins with the letter after the last one's, and a comes after z."""
    found = without_punctuation(text).split()
    begin = _ALPHABET.find(found[0][0].lower()) if found else -1
    if begin < 0:
        return False
    return all(word.lower()[0] == _ALPHABET[(begin + number) % 26] for number, word in enumerate(found))


def has_three_vowels(text: str) -> bool:
    """One line with no more than three of the five vowels."""
    text = text.strip()
    return "\n" not in text and sum(vowel in text.lower() for vowel in "aeiou") <= 3


def has_consonant_clusters(text: str) -> bool:
    """Two consonants side by side in every word."""
    return all(_CLUSTER.search(word) for word in text.lower().split())


def has_growing_alliteration(text: str) -> bool:
    """More words that begin like a neighbour in each sentence than in the one before."""
    counts = [_count_alliterating(sentence) for sentence in sentences(text)]
    return all(before < after for before, after in pairwise(counts))


def _count_alliterating(sentence: str) -> int:
    """Every word of a run of two or more with one first sign."""
    firsts = [word[0] for each in sentence.lower().split() if (word := each.lstrip(EDGES))]
    alike = [one == other for one, other in pairwise(firsts)]
    return sum(alike) + sum(now and not before for before, now in pairwise([False, *alike]))


def has_palindromes(text: str) -> bool:
    """Ten words of five letters or more that read the same backwards."""
    found = without_punctuation(text).lower().split()
    return sum(len(word) >= 5 and word == word[::-1] for word in found) >= 10


def has_prime_lengths(text: str) -> bool:
    return all(len(word) in _PRIMES for word in without_punctuation(text).split())


def alternates_syllables(text: str) -> bool:
    """Odd and even numbers of syllables in turn, as the package syllapy counts them."""
    import syllapy  # reads its dictionary, 50 ms

    odd = [syllapy.count(word) % 2 for word in without_punctuation(text).lower().split()]
    return all(one != other for one, other in pairwise(odd))


def last_word_comes_first(text: str) -> bool:
    """The last word of a sentence is the first of the next."""
    for one, other in pairwise(sentences(text)):
        before, after = one.rstrip(EDGES).split(), other.lstrip(EDGES).split()
        if not before or not after or before[-1].lower() != after[0].lower():
            return False
    return True


def paragraphs_end_as_they_begin(text: str) -> bool:
    """Each line ends with the word it begins with."""
    for line in text.split("\n"):
        found = line.strip().lower().strip(EDGES).split()
        if found and found[0] != found[-1]:
            return False
    return True


def has_no_alliteration(text: str) -> bool:
    """No two words side by side begin with the same sign."""
    return all(one[0] != other[0] for one, other in pairwise(plain_words(text)))


def grows_by(text: str, *, small_n: float) -> bool:
    """Each sentence has so many words more than the one before."""
    counts = [len(without_punctuation(sentence).split()) for sentence in sentences(text)]
    return bool(counts) and all(after == before + small_n for before, after in pairwise(counts))


def has_keyword_in_sentence(text: str, *, word: str, N: float) -> bool:
    found = sentences(text)
    if len(found) < N:
        return False
    return bool(re.search(rf"\b{re.escape(word)}\b", found[int(N - 1)], re.IGNORECASE))


def has_keyword_at(text: str, *, keyword: str, n: float, m: float) -> bool:
    """As the m-th word of the n-th sentence."""
    found = sentences(text)
    if len(found) < n:
        return False
    near = word_tokens(found[int(n) - 1])
    return len(near) >= m and near[int(m) - 1].lower() == keyword.strip().lower()


def has_keyword_near_both_ends(text: str, *, keyword: str) -> bool:
    """Second token, and second to last; one sign at the very end does not count, others do."""
    found, wanted = tokens(text), keyword.strip().lower()
    if len(found) < 2:
        return False
    if found[-1] in string.punctuation:
        found = found[:-1]
        if len(found) < 2:
            return False
    return found[1].lower() == found[-2].lower() == wanted


CHECKS: Checks = {
    "words:alphabet": goes_through_the_alphabet,
    "words:vowel": has_three_vowels,
    "words:consonants": has_consonant_clusters,
    "words:palindrome": has_palindromes,
    "words:prime_lengths": has_prime_lengths,
    "words:odd_even_syllables": alternates_syllables,
    "words:last_first": last_word_comes_first,
    "words:paragraph_last_first": paragraphs_end_as_they_begin,
    "words:no_consecutive": has_no_alliteration,
    "words:start_verb": starts_with_verb,
    "words:keywords_specific_position": has_keyword_at,
    "words:words_position": has_keyword_near_both_ends,
    "sentence:alliteration_increment": has_growing_alliteration,
    "sentence:increment": grows_by,
    "sentence:keyword": has_keyword_in_sentence,
}
