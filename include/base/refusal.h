/* refusal: how gridloop says no. Every refusal has a stable code for programs, the stable name of the rule that was
 * broken, and a sentence a person can act on. The codes are those of proto/gridloop.proto (enum Code). */
#ifndef BASE_REFUSAL_H
#define BASE_REFUSAL_H

#include <stdint.h>

#include "base/must.h"

enum refusal_code {
	REFUSAL_NONE = 0,
	REFUSAL_MALFORMED = 1,
	REFUSAL_TOO_LARGE = 2,
	REFUSAL_UNKNOWN_MESSAGE = 3,
	REFUSAL_NOT_LOGGED_IN = 4,
	REFUSAL_BAD_CREDENTIALS = 5,
	REFUSAL_NOT_ALLOWED = 6,
	REFUSAL_INVALID = 7,
	REFUSAL_UNKNOWN_CASE = 8,
	REFUSAL_UNKNOWN_CATEGORY = 9,
	REFUSAL_UNKNOWN_PERSON = 10,
	REFUSAL_WRONG_STATE = 11,
	REFUSAL_RULE_BROKEN = 12,
	REFUSAL_KEY_REUSED = 13,
	REFUSAL_RETRY_LATER = 14,
	REFUSAL_RATE_LIMITED = 15,
	REFUSAL_OVERDRAWN = 16,
	REFUSAL_INTERNAL = 17,
	REFUSAL_CODE_COUNT
};

#define REFUSAL_SENTENCE_MAX 240 /* bytes, the terminator included */

struct refusal {
	enum refusal_code code;
	const char *rule;  /* static text */
	const char *right; /* static: the right that was missing (jurisdiction/rights.h); NULL: it was not for that */
	char sentence[REFUSAL_SENTENCE_MAX];
	int64_t retry_after_ms; /* 0: do not repeat unchanged */
};

/* Fills *why and returns false, so that a check can end in `return refuse(...)`. A long sentence is cut at a character. */
_Bool refuse(struct refusal *why, enum refusal_code code, const char *rule, const char *format, ...) PRINTF_LIKE(4, 5);
/* The code's stable name in lower case ("wrong-state"); "unknown" for a number that is none. */
const char *refusal_code_name(enum refusal_code code);

#endif
