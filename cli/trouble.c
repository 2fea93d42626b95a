#include "trouble.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/refusal.h"

_Bool trouble_set(struct trouble *why, enum exit_code code, const char *format, ...)
{
	va_list arguments;

	*why = (struct trouble){ .exit = code };
	va_start(arguments, format);
	vsnprintf(why->sentence, sizeof why->sentence, format, arguments);
	va_end(arguments);
	return 0;
}

void trouble_from_refusal(struct trouble *why, const wire_refusal *r)
{
	*why = (struct trouble){ .exit = EXIT_REFUSED, .code = (int)r->code, .retry_after_ms = r->retry_after_ms };
	snprintf(why->rule, sizeof why->rule, "%s", wire_text(r->rule));
	snprintf(why->sentence, sizeof why->sentence, "%s", wire_text(r->sentence));
}

_Bool trouble_passes(const struct trouble *why)
{
	return why->code == REFUSAL_RETRY_LATER || why->code == REFUSAL_RATE_LIMITED;
}

#define COMPARE "this program and the daemon differ; compare `gridloop version` with `gridloop ping`"

/* What to do after each code; the daemon's sentence says what happened. */
static const char *const next_steps[REFUSAL_CODE_COUNT] = {
	[REFUSAL_MALFORMED] = COMPARE,
	[REFUSAL_TOO_LARGE] = "shorten the text or send fewer things at once",
	[REFUSAL_UNKNOWN_MESSAGE] = COMPARE,
	[REFUSAL_NOT_LOGGED_IN] = "say who you are: --as ID --token TOKEN, or ~/.config/gridloop/login",
	[REFUSAL_BAD_CREDENTIALS] =
		"check --as and --token (or GRIDLOOP_ID and GRIDLOOP_TOKEN, or ~/.config/gridloop/login)",
	[REFUSAL_NOT_ALLOWED] = "ask somebody who has the role, or use that identity with --as",
	[REFUSAL_INVALID] = "correct the value and try again",
	[REFUSAL_UNKNOWN_CASE] = "look the number up with `gridloop case list`",
	[REFUSAL_UNKNOWN_CATEGORY] = "the codes are in the jurisdiction's categories.csv",
	[REFUSAL_UNKNOWN_PERSON] = "the ids are in the jurisdiction's people.csv, units.csv and grids.csv",
	[REFUSAL_WRONG_STATE] = "see where the case is: `gridloop case show NUMBER`",
	[REFUSAL_RULE_BROKEN] = "see what happened so far: `gridloop case history NUMBER`",
	[REFUSAL_KEY_REUSED] = "leave --key out to send this as something new",
	[REFUSAL_RETRY_LATER] = "nothing was done; send the same again later",
	[REFUSAL_RATE_LIMITED] = "nothing was done; send the same again more slowly",
	[REFUSAL_OVERDRAWN] = "see what can be redeemed: `gridloop points`",
	[REFUSAL_INTERNAL] = "the daemon's log says more",
};

static void print_json(const struct trouble *why)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_open(&j, why->exit == EXIT_LOST ? "lost" : "refused", '{');
	json_text(&j, "code", why->code ? refusal_code_name((enum refusal_code)why->code) : NULL);
	json_text(&j, "rule", why->rule[0] ? why->rule : NULL);
	json_text(&j, "sentence", why->sentence);
	json_int(&j, "retry_after_ms", why->retry_after_ms);
	json_close(&j, '}');
	json_close(&j, '}');
	putchar('\n');
}

void trouble_print(const struct trouble *why, _Bool json)
{
	const char *next = why->code > 0 && why->code < REFUSAL_CODE_COUNT ? next_steps[why->code] : NULL;

	fflush(stdout);
	if (json)
		print_json(why);
	fprintf(stderr, "gridloop: %s%s\n", why->code ? "refused: " : "", why->sentence);
	if (why->rule[0])
		fprintf(stderr, "  rule: %s (%s)\n", why->rule, refusal_code_name((enum refusal_code)why->code));
	if (why->retry_after_ms > 0)
		fprintf(stderr, "  again: in %" PRId64 " ms\n", why->retry_after_ms);
	if (why->exit == EXIT_LOST)
		next = "is gridloopd running there? `gridloop ping --server HOST:PORT` tells";
	if (next)
		fprintf(stderr, "  next: %s\n", next);
}
