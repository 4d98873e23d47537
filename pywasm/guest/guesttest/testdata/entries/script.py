import os
import sys

print(sys.argv, __name__, os.getcwd())
