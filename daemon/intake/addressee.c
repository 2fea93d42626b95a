#include "intake/addressee.h"

#include <stdio.h>
#include <string.h>

void addressees_of(const struct person *p, struct addressees *out)
{
	size_t count = 0;

	*out = (struct addressees){ .names = { NULL } };
	out->names[count++] = p->id;
	if (p->unit)
		out->names[count++] = p->unit;
	for (int bit = 0; bit < ROLE_BITS; bit++) {
		if (!(p->roles & 1U << bit))
			continue;
		must(snprintf(out->roles[bit], ADDRESSEE_ROLE_SIZE, "role:%s", role_name((enum role)(1 << bit))) > 0);
		out->names[count++] = out->roles[bit];
	}
}

void addressees_to_filter(const struct addressees *a, const struct person *p, struct notice_filter *filter)
{
	_Static_assert(sizeof filter->to / sizeof *filter->to >= ROLE_BITS + 2, "id, unit and every role fit");
	size_t most = sizeof filter->to / sizeof *filter->to;

	/* The filter ends with a NULL only where it is not full. */
	for (size_t i = 0; i < most && a->names[i]; i++)
		filter->to[i] = a->names[i];
	filter->role_area = p->area;
}
