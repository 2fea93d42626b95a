#include "workflow/sweep.h"

#include "workflow/decision.h"
#include "workflow/place.h"

/* The judges, in the order in which they see a case; each sees what those before it did. */
static const enum act judges[] = {
	ACT_RETIME,  /* an emergency was declared or lifted */
	ACT_REGRID,  /* its place lies in another grid now */
	ACT_VACATED, /* whom it waits for is no longer in the policy */
	ACT_REROUTE, /* the contract or post it was dispatched by is over, and nobody has signed in */
};

_Bool decide_sweep(const struct casebook *b, const struct policy *p, int64_t case_id, int64_t now_ms, struct facts *out)
{
	struct decision d;
	struct command none = { .kind = COMMAND_ACT, .lat_e7 = PLACE_NONE, .lon_e7 = PLACE_NONE };
	const struct case_file *file = casebook_case(b, case_id);
	decision_begin(&d, b, p, &none, now_ms, out);
	must(file != NULL);
	*d.draft = *file;
	out->draft_count = 1;
	for (size_t i = 0; i < sizeof judges / sizeof *judges && !state_info(d.draft->state)->terminal; i++)
		decision_then(&d, judges[i]);
	if (out->event_count == 0)
		facts_clear(out);
	return out->event_count > 0;
}
