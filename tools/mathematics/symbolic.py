"""placeholder until the worker lands in the next commit"""
from tools.mathematics.answers import Comparison
def decide(given, gold, timeout_s, reason):
    return Comparison(None, "symbolic", reason)
