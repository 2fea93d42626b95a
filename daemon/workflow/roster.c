#include "workflow/roster.h"

#include <stdlib.h>
#include <string.h>

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#include <uthash.h>

/* One credential in two lists: all by id, and its person's in order of age. */
struct badge {
	struct credential credential;
	UT_hash_handle hh;
	struct badge *next;
};

struct holder {
	UT_hash_handle hh;
	struct badge *first;
	char person[];
};

struct roster {
	struct badge *badges;
	struct holder *holders;
};

const char *credential_kind_name(enum credential_kind k)
{
	return k == CREDENTIAL_TOKEN ? "token" : k == CREDENTIAL_CERTIFICATE ? "certificate" : "none";
}

_Bool credential_is_live(const struct credential *c, int64_t now_ms)
{
	return c->revoked_ms == 0 && (c->expires_ms == 0 || now_ms < c->expires_ms);
}

static void leave_out_texts(struct credential *c)
{
	c->label = c->made_by = c->revoked_by = c->why = NULL;
}

struct credential *credentials_copy(const struct credential *rows, size_t count)
{
	size_t size = count * sizeof *rows;
	if (count == 0)
		return NULL;
	for (size_t i = 0; i < count; i++)
		size += strlen(rows[i].person) + 1;

	struct credential *copy = must_calloc(1, size);
	char *text = (char *)(copy + count);

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(rows[i].person) + 1;

		copy[i] = rows[i];
		leave_out_texts(&copy[i]);
		copy[i].person = memcpy(text, rows[i].person, length);
		text += length;
	}
	return copy;
}

/* ---- a life ---- */

struct roster *roster_new(void)
{
	return must_calloc(1, sizeof(struct roster));
}

void roster_free(struct roster *r)
{
	struct badge *b, *next_badge;
	struct holder *h, *next_holder;

	if (r == NULL)
		return;
	HASH_ITER(hh, r->badges, b, next_badge)
	{
		HASH_DEL(r->badges, b);
		free(b);
	}
	HASH_ITER(hh, r->holders, h, next_holder)
	{
		HASH_DEL(r->holders, h);
		free(h);
	}
	free(r);
}

/* ---- look-ups ---- */

static struct badge *find_badge(const struct roster *r, int64_t id)
{
	struct badge *b;

	HASH_FIND(hh, r->badges, &id, sizeof id, b);
	return b;
}

static struct holder *find_holder(const struct roster *r, const char *person)
{
	struct holder *h;

	HASH_FIND(hh, r->holders, person, strlen(person), h);
	return h;
}

const struct credential *roster_find(const struct roster *r, int64_t id)
{
	const struct badge *b = find_badge(r, id);

	return b == NULL ? NULL : &b->credential;
}

size_t roster_of(const struct roster *r, const char *person, int64_t now_ms,
                 const struct credential *out[CREDENTIALS_A_PERSON_MOST])
{
	const struct holder *h = find_holder(r, person);
	size_t count = 0;

	for (const struct badge *b = h == NULL ? NULL : h->first; b != NULL && count < CREDENTIALS_A_PERSON_MOST;
	     b = b->next)
		if (credential_is_live(&b->credential, now_ms))
			out[count++] = &b->credential;
	return count;
}

const struct credential *roster_certificate(const struct roster *r, const uint8_t sha256[DIGEST_SIZE], int64_t now_ms)
{
	for (const struct badge *b = r->badges; b != NULL; b = b->hh.next)
		if (b->credential.kind == CREDENTIAL_CERTIFICATE && credential_is_live(&b->credential, now_ms) &&
		    memcmp(b->credential.sha256, sha256, DIGEST_SIZE) == 0)
			return &b->credential;
	return NULL;
}

size_t roster_count(const struct roster *r)
{
	return HASH_COUNT(r->badges);
}

void roster_each(const struct roster *r, void (*visit)(void *ctx, const struct credential *c), void *ctx)
{
	for (const struct badge *b = r->badges; b != NULL; b = b->hh.next)
		visit(ctx, &b->credential);
}

/* ---- change ---- */

static void drop(struct roster *r, struct holder *h, struct badge *b)
{
	struct badge **at = &h->first;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	HASH_DEL(r->badges, b);
	free(b);
}

static void drop_expired(struct roster *r, struct holder *h, int64_t now_ms)
{
	struct badge *next;

	for (struct badge *b = h->first; b != NULL; b = next) {
		next = b->next;
		if (!credential_is_live(&b->credential, now_ms))
			drop(r, h, b);
	}
}

static struct holder *need_holder(struct roster *r, const char *person)
{
	struct holder *h = find_holder(r, person);
	size_t length = strlen(person);

	if (h != NULL)
		return h;
	h = must_calloc(1, sizeof *h + length + 1);
	memcpy(h->person, person, length + 1);
	HASH_ADD_KEYPTR(hh, r->holders, h->person, length, h);
	return h;
}

static void add(struct roster *r, const struct credential *c)
{
	struct holder *h = need_holder(r, c->person);
	struct badge *b = must_calloc(1, sizeof *b), **at = &h->first;

	drop_expired(r, h, c->made_ms);
	b->credential = *c;
	b->credential.person = h->person;
	b->credential.is_new = 0;
	leave_out_texts(&b->credential);
	while (*at != NULL)
		at = &(*at)->next;
	*at = b;
	HASH_ADD(hh, r->badges, credential.id, sizeof b->credential.id, b);
}

void roster_obey(struct roster *r, const struct credential *c)
{
	struct badge *b = find_badge(r, c->id);

	if (b == NULL && c->revoked_ms == 0)
		add(r, c);
	else if (b != NULL && c->revoked_ms == 0)
		b->credential.expires_ms = c->expires_ms;
	else if (b != NULL) {
		struct holder *h = find_holder(r, b->credential.person);

		drop(r, h, b);
		if (h->first == NULL) {
			HASH_DEL(r->holders, h);
			free(h);
		}
	}
}
