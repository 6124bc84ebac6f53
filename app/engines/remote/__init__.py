"""Models of providers: one chat call, the ways of asking, what an answer may be."""
