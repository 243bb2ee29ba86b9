"""English words that carry grammar and no content."""

_DANGLING = """
    a an the his its their this these those which who whose and or but nor as while when where
    because than at of in on from with without for to into onto upon toward towards between among
    against beneath beside during is are was were be been being am has have had
"""
_FREE = """
    her him it he she they them that about above across after along around before behind below
    beyond by down inside near next off out outside over past through under underneath up within
    do does did will would can could may
"""

# After these a sentence has broken off: "a man with a".
DANGLING_WORDS = frozenset(_DANGLING.split())
FUNCTION_WORDS = DANGLING_WORDS | frozenset(_FREE.split())
