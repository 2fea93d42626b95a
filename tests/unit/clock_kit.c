#include "clock_kit.h"

#include "base/clock.h"
#include "jurisdiction/policy_parts.h"

void clock_kit_no_rest(struct policy *p)
{
	static const struct calendar_rules always = { .slots = { { 0, (int32_t)CLOCK_DAY_MS }, { 0, 0 } },
		                                      .weekdays = 0x7f };

	calendar_close(&p->calendar);
	calendar_init(&p->calendar, &always);
}
