"""What a run says beyond its score: lengths, loops, budgets, contamination, published figures, planning."""
