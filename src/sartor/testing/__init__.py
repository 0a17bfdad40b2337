"""What tests of Sartor, and of what is built on it, need: stores in memory, a clock moved by hand, builders.

In come calls on the ports of ``sartor.ports``; out comes what a real store would answer, without a disk. The
same contract suite runs on these as on the SQLite store. Read ``stores`` first.
"""
