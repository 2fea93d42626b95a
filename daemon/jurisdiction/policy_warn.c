/* What is sound and yet will hurt: the parts of a jurisdiction that end or lack somebody each look after their own. */
#include "jurisdiction/policy_parts.h"

typedef void (*warn_function)(const struct policy *p, int64_t now_ms, struct problems *to);

/* Ends in NULL. */
static const warn_function warnings[] = { posts_warn, contracts_warn, policy_calendar_warn, rights_warn, NULL };

void policy_warn(const struct policy *p, int64_t now_ms, struct problems *to)
{
	for (const warn_function *w = warnings; *w; w++)
		(*w)(p, now_ms, to);
}
