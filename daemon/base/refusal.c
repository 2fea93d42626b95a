#include "base/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const code_names[REFUSAL_CODE_COUNT] = {
	[REFUSAL_NONE] = "none",
	[REFUSAL_MALFORMED] = "malformed",
	[REFUSAL_TOO_LARGE] = "too-large",
	[REFUSAL_UNKNOWN_MESSAGE] = "unknown-message",
	[REFUSAL_NOT_LOGGED_IN] = "not-logged-in",
	[REFUSAL_BAD_CREDENTIALS] = "bad-credentials",
	[REFUSAL_NOT_ALLOWED] = "not-allowed",
	[REFUSAL_INVALID] = "invalid",
	[REFUSAL_UNKNOWN_CASE] = "unknown-case",
	[REFUSAL_UNKNOWN_CATEGORY] = "unknown-category",
	[REFUSAL_UNKNOWN_PERSON] = "unknown-person",
	[REFUSAL_WRONG_STATE] = "wrong-state",
	[REFUSAL_RULE_BROKEN] = "rule-broken",
	[REFUSAL_KEY_REUSED] = "key-reused",
	[REFUSAL_RETRY_LATER] = "retry-later",
	[REFUSAL_RATE_LIMITED] = "rate-limited",
	[REFUSAL_OVERDRAWN] = "overdrawn",
	[REFUSAL_INTERNAL] = "internal",
};

_Bool refuse(struct refusal *why, enum refusal_code code, const char *rule, const char *format, ...)
{
	/* Four bytes more than is kept, so that the cut sees whether it falls inside a character. */
	char sentence[REFUSAL_SENTENCE_MAX + 4];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	if (n < 0)
		sentence[0] = '\0';

	size_t length = text_cut(sentence, REFUSAL_SENTENCE_MAX - 1);

	why->code = code;
	why->rule = rule;
	why->right = NULL;
	memcpy(why->sentence, sentence, length);
	why->sentence[length] = '\0';
	why->retry_after_ms = 0;
	return 0;
}

const char *refusal_code_name(enum refusal_code code)
{
	unsigned number = (unsigned)code;

	return number < REFUSAL_CODE_COUNT ? code_names[number] : "unknown";
}
