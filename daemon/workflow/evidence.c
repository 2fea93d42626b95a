/* evidence: what photos are asked for, and whether they came. */
#include "workflow/evidence.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "jurisdiction/words.h"
#include "workflow/decision.h"

#define REF_PREFIX "sha256:"
#define REF_PREFIX_LENGTH (sizeof REF_PREFIX - 1)

/* ---- words ---- */

static const char *const role_names[PHOTO_ROLE_COUNT] = { "", "near", "far", "before", "after" };

const char *photo_role_name(enum photo_role r)
{
	must(r >= 0 && r < PHOTO_ROLE_COUNT);
	return role_names[r];
}

enum photo_role photo_role_from_name(const char *name, size_t length)
{
	for (int r = 1; r < PHOTO_ROLE_COUNT; r++)
		if (strlen(role_names[r]) == length && memcmp(role_names[r], name, length) == 0)
			return (enum photo_role)r;
	return PHOTO_UNSET;
}

void evidence_text(const uint8_t sha256[EVIDENCE_DIGEST_SIZE], char out[EVIDENCE_REF_SIZE])
{
	_Static_assert(REF_PREFIX_LENGTH + DIGEST_TEXT_SIZE <= EVIDENCE_REF_SIZE, "a reference has room");
	memcpy(out, REF_PREFIX, REF_PREFIX_LENGTH);
	digest_text(sha256, out + REF_PREFIX_LENGTH);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

_Bool evidence_from_text(const char *text, size_t length, uint8_t sha256[EVIDENCE_DIGEST_SIZE])
{
	if (length != REF_PREFIX_LENGTH + 2 * EVIDENCE_DIGEST_SIZE || memcmp(text, REF_PREFIX, REF_PREFIX_LENGTH) != 0)
		return 0;
	text += REF_PREFIX_LENGTH;
	for (int i = 0; i < EVIDENCE_DIGEST_SIZE; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return 0;
		sha256[i] = (uint8_t)(high << 4 | low);
	}
	return 1;
}

/* ---- what came with the command ---- */

_Bool evidence_is_here(struct decision *d)
{
	const struct command *c = d->command;
	for (int i = 0; i < c->evidence_count; i++) {
		char ref[EVIDENCE_REF_SIZE];
		if (c->evidence[i].is_here)
			continue;
		evidence_text(c->evidence[i].sha256, ref);
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "evidence-is-uploaded",
		                       "%.23s… was not uploaded completely by you; upload it first, then send this "
		                       "again.",
		                       ref);
	}
	return 1;
}

static enum photo_role role_of(const struct command *c, int i)
{
	_Bool done = c->kind == COMMAND_ACT && (c->act == ACT_HANDLED || c->act == ACT_CO_HANDLED);
	return c->evidence[i].role == PHOTO_UNSET && done ? PHOTO_AFTER : (enum photo_role)c->evidence[i].role;
}

uint8_t evidence_brought(const struct decision *d)
{
	const struct command *c = d->command;
	uint8_t bits = 0;
	for (int i = 0; i < c->evidence_count; i++)
		bits |= (uint8_t)PHOTO_BIT(role_of(c, i));
	if (c->kind == COMMAND_SUBMIT && (bits & PHOTO_NEAR_AND_FAR) == PHOTO_NEAR_AND_FAR)
		bits |= PHOTO_REPORTED;
	return bits;
}

void evidence_name(struct decision *d, struct fact *f)
{
	struct command *c = d->command;
	if (d->who == NULL || c->evidence_count == 0 || d->out->named.count != 0)
		return;
	f->photo_roles = evidence_brought(d);
	for (int i = 0; i < c->evidence_count; i++)
		c->evidence[i].role = (uint8_t)role_of(c, i);
	d->out->named = (struct named_fact){ .refs = c->evidence,
		                             .count = c->evidence_count,
		                             .case_id = f->case_id,
		                             .event_id = f->id,
		                             .sender = d->actor };
}

/* ---- what is asked for ---- */

_Bool evidence_handled_guard(struct decision *d)
{
	const struct category *k = policy_category(d->policy, d->draft->category);
	uint8_t brought = evidence_brought(d);
	if (k != NULL && k->after_photo && (brought & PHOTO_BIT(PHOTO_AFTER)) == 0)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "after-photo",
		                       "This category asks for a photo of the place afterwards, uploaded here.");
	if (k != NULL && k->before_photo && ((brought | d->draft->photo_roles) & PHOTO_BIT(PHOTO_BEFORE)) == 0)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "before-photo",
		                       "This category asks for a photo of the place before the work too.");
	return 1;
}

_Bool evidence_file_guard(struct decision *d, int32_t category)
{
	const struct category *k = policy_category(d->policy, category);
	if (k == NULL || k->near_far < NEAR_FAR_FILE || d->draft->camera != NULL ||
	    (d->draft->photo_roles & PHOTO_NEAR_AND_FAR) == PHOTO_NEAR_AND_FAR)
		return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "near-and-far-photos",
	                       "This category is filed with a near and a far photo; have a worker verify it and send "
	                       "both.");
}

/* ---- a file is complete ---- */

_Bool evidence_keep(struct decision *d)
{
	const struct command *c = d->command;
	must(c->evidence_count == 1 && c->label != NULL);
	d->out->has_file = 1;
	memcpy(d->out->file.sha256, c->evidence[0].sha256, sizeof d->out->file.sha256);
	d->out->file.sender = d->who->id;
	d->out->file.type = c->label;
	memcpy(d->out->file.look, c->evidence[0].look, sizeof d->out->file.look);
	d->out->file.size = c->value;
	d->out->file.at_ms = d->now_ms;
	return 1;
}
