/* command: one block of memory a request. */
#include "workflow/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "jurisdiction/policy.h"
#include "workflow/command_pool.h"
#include "workflow/place.h"

struct command *command_new(enum command_kind kind, size_t arena)
{
	struct command *c = must_realloc(NULL, sizeof *c + arena);
	command_begin(c, kind, arena);
	return c;
}

void command_begin(struct command *c, enum command_kind kind, size_t arena)
{
	memset(c, 0, sizeof *c);
	c->kind = kind;
	c->lat_e7 = c->lon_e7 = PLACE_NONE;
	c->arena_size = arena;
}

static void let_go(struct command *c)
{
	policy_release(c->policy);
	free(c->changes);
}

void command_free(struct command *c)
{
	if (c == NULL)
		return;
	let_go(c);
	if (!command_pool_keeps(c))
		free(c);
}

void command_discard(struct command *c)
{
	if (c == NULL)
		return;
	let_go(c);
	free(c);
}

const char *command_text(struct command *c, const void *bytes, size_t length)
{
	if (length == 0)
		return NULL;
	must(c->arena_used + length + 1 <= c->arena_size);
	char *text = c->arena + c->arena_used;
	memcpy(text, bytes, length);
	text[length] = '\0';
	c->arena_used += length + 1;
	return text;
}

struct evidence_ref *command_evidence(struct command *c, int count)
{
	size_t length = (size_t)count * sizeof *c->evidence;
	if (count == 0)
		return NULL;
	must(c->arena_used + length <= c->arena_size);
	/* Made of bytes, so it may stand anywhere. */
	_Static_assert(_Alignof(struct evidence_ref) == 1, "a reference needs no alignment");
	c->evidence = (struct evidence_ref *)(c->arena + c->arena_used);
	c->evidence_count = count;
	c->arena_used += length;
	memset(c->evidence, 0, length);
	return c->evidence;
}

static void seal_evidence(const struct command *c, struct digester *d)
{
	for (int i = 0; i < c->evidence_count; i++) {
		digest_add(d, c->evidence[i].sha256, sizeof c->evidence[i].sha256);
		digest_add_int(d, c->evidence[i].role);
	}
}

static void seal_texts(const struct command *c, struct digester *d)
{
	const char *const texts[] = { c->address,  c->description,   c->beneficiary,  c->programme,
		                      c->reporter, c->camera,        c->label,        c->alarm_event,
		                      c->photos,   c->reason,        c->text,         c->unit,
		                      c->person,   c->alarm_channel, c->contact_name, c->contact_phone };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		digest_add_text(d, texts[i]);
	for (int i = 0; i < c->unit_count; i++)
		digest_add_text(d, c->units[i]);
}

static void seal_numbers(const struct command *c, struct digester *d)
{
	const int64_t numbers[] = { c->kind,
		                    c->category,
		                    c->lat_e7,
		                    c->lon_e7,
		                    c->reporter_kind,
		                    c->anonymous,
		                    c->seen_at_ms,
		                    c->ended,
		                    c->began_at_ms,
		                    c->posts,
		                    c->case_id,
		                    c->act,
		                    c->grid,
		                    c->master,
		                    c->until_ms,
		                    c->extend_ms,
		                    c->extend_unit,
		                    c->finding,
		                    c->rating,
		                    c->value,
		                    c->unit_count,
		                    c->evidence_count,
		                    (int64_t)(c->confidence * 1e6) };
	digest_add(d, numbers, sizeof numbers);
}

void command_seal(struct command *c, struct digester *d)
{
	uint8_t digest[DIGEST_SIZE];
	digest_begin(d);
	seal_numbers(c, d);
	seal_texts(c, d);
	seal_evidence(c, d);
	/* A token is made anew with each sending, so it says nothing about what was asked. */
	if (c->credential_kind == CREDENTIAL_CERTIFICATE)
		digest_add(d, c->credential_sha256, sizeof c->credential_sha256);
	/* An action has no reporter of its own to bind the key to, so it is bound to who acts. */
	digest_add_text(d, c->kind == COMMAND_SUBMIT && c->reporter != NULL ? NULL : c->actor);
	digest_end(d, digest);
	memcpy(c->hash, digest, sizeof c->hash);
}
