"""Recordings through the real models.

`complaint.ogg` was spoken by espeak-ng (voice en-gb+f3): “Hello, this is Mary Miller. I am calling
from London.”, two seconds of nothing, “You charged my credit card twice, and I want my money back.”
"""
