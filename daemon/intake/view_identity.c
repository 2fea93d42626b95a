/* Who people are, what proves it, and who looked at them, as messages. */
#include <inttypes.h>
#include <stdio.h>

#include "intake/view.h"
#include "intake/wire.h"

#define AREA_TEXT_SIZE 24

void view_audit(const struct audit_row *row, Gridloop__V1__AuditRow *out)
{
	gridloop__v1__audit_row__init(out);
	out->id = row->id;
	out->at_ms = row->fact.at_ms;
	out->who = wire_text(row->fact.who);
	out->what = wire_text(audited_name(row->fact.what));
	out->subject = wire_text(row->fact.subject);
	out->purpose = wire_text(row->fact.purpose);
	out->channel = wire_text(row->fact.channel);
	out->count = row->fact.count;
	out->erased = row->erased;
}

Gridloop__V1__Credential *view_credential(struct question *q, const struct credential *c)
{
	Gridloop__V1__Credential *row = question_take(q, sizeof *row);

	gridloop__v1__credential__init(row);
	row->id = c->id;
	row->person = wire_text(c->person);
	row->kind = (Gridloop__V1__CredentialKind)c->kind;
	row->label = wire_text(c->label);
	row->made_ms = c->made_ms;
	row->made_by = wire_text(c->made_by);
	row->expires_ms = c->expires_ms;
	row->revoked_ms = c->revoked_ms;
	row->revoked_by = wire_text(c->revoked_by);
	row->why = wire_text(c->why);
	row->replaces = c->replaces;
	row->live = policy_person(q->policy, c->person) && credential_is_live(c, q->now_ms);
	return row;
}

Gridloop__V1__Credential *view_credential_in_file(struct question *q, const struct person *p, enum credential_kind kind)
{
	Gridloop__V1__Credential *row = question_take(q, sizeof *row);

	gridloop__v1__credential__init(row);
	row->person = wire_text(p->id);
	row->kind = (Gridloop__V1__CredentialKind)kind;
	row->live = 1;
	return row;
}

Gridloop__V1__Identity *view_identity(struct question *q, const struct person *p)
{
	Gridloop__V1__Identity *m = question_take(q, sizeof *m);

	gridloop__v1__identity__init(m);
	m->person = wire_text(p->id);
	m->name = wire_text(p->name);
	m->unit = wire_text(p->unit);
	m->roles = question_take(q, ROLE_BITS * sizeof *m->roles);
	for (int bit = 0; bit < ROLE_BITS; bit++)
		if (p->roles & 1U << bit)
			m->roles[m->n_roles++] = wire_text(role_name((enum role)(1 << bit)));
	if (p->area != 0) {
		char *area = question_take(q, AREA_TEXT_SIZE);

		must(snprintf(area, AREA_TEXT_SIZE, "%" PRId64, p->area) > 0);
		m->area = wire_text(area);
	}
	return m;
}
