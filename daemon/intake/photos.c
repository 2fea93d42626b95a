#include "intake/photos.h"

#include <string.h>

#include "intake/check.h"

static const struct text_rule photo_rule = TEXT_RULE(TEXT_LINE, COMMAND_PHOTO_MOST, photos);
static const struct text_rule snapshot_rule = TEXT_RULE(TEXT_LINE, COMMAND_PHOTO_MOST, snapshot);

#define REF_PREFIX "sha256:"

static _Bool is_evidence(const ProtobufCBinaryData *reference, uint8_t sha256[EVIDENCE_DIGEST_SIZE])
{
	return evidence_from_text((const char *)reference->data, reference->len, sha256);
}

/* References are kept as one text, so none may hold the space that parts them. */
static _Bool check_reference(const ProtobufCBinaryData *photo, const struct text_rule *rule, struct refusal *why)
{
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];

	if (!check_text(photo, rule, why))
		return 0;
	if (photo->len == 0 || memchr(photo->data, ' ', photo->len))
		return refuse(why, REFUSAL_INVALID, "photo-is-a-reference",
		              "A photo's reference is not empty and has no spaces.");
	if (photo->len >= strlen(REF_PREFIX) && memcmp(photo->data, REF_PREFIX, strlen(REF_PREFIX)) == 0 &&
	    !is_evidence(photo, sha256))
		return refuse(why, REFUSAL_INVALID, "evidence-is-a-digest",
		              "Evidence is named by sha256: and 64 digits of lower-case hex.");
	return 1;
}

static _Bool check_evidence(const Gridloop__V1__Evidence *e, struct refusal *why)
{
	if (e->sha256.len != EVIDENCE_DIGEST_SIZE)
		return refuse(why, REFUSAL_INVALID, "evidence-is-a-digest",
		              "Evidence is named by its 32 bytes SHA-256.");
	return check_range((int64_t)e->role, PHOTO_UNSET, PHOTO_ROLE_COUNT - 1, "photo-role-is-known", why);
}

_Bool photos_check(const struct photos *p, size_t *room, struct refusal *why)
{
	if (p->reference_count > COMMAND_PHOTOS_MOST || p->evidence_count > COMMAND_PHOTOS_MOST - p->reference_count)
		return refuse(why, REFUSAL_TOO_LARGE, "photos-are-at-most-8",
		              "There are %zu photos; at most %d are taken.", p->reference_count + p->evidence_count,
		              COMMAND_PHOTOS_MOST);
	for (size_t i = 0; i < p->reference_count; i++) {
		if (!check_reference(&p->references[i], &photo_rule, why))
			return 0;
		*room += p->references[i].len + 1 + sizeof(struct evidence_ref);
	}
	for (size_t i = 0; i < p->evidence_count; i++)
		if (!check_evidence(p->evidence[i], why))
			return 0;
	*room += p->evidence_count * sizeof(struct evidence_ref);
	return 1;
}

_Bool photos_check_snapshot(const ProtobufCBinaryData *snapshot, size_t *room, struct refusal *why)
{
	if (snapshot->len == 0)
		return 1;
	*room += snapshot->len + 1 + sizeof(struct evidence_ref);
	return check_reference(snapshot, &snapshot_rule, why);
}

static void copy_references(const struct photos *p, struct command *c)
{
	char joined[COMMAND_PHOTOS_MOST * (COMMAND_PHOTO_MOST + 1)];
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	size_t length = 0;

	for (size_t i = 0; i < p->reference_count; i++) {
		if (is_evidence(&p->references[i], sha256))
			continue;
		if (c->photo_count++ > 0)
			joined[length++] = ' ';
		memcpy(joined + length, p->references[i].data, p->references[i].len);
		length += p->references[i].len;
	}
	c->photos = command_text(c, joined, length);
}

void photos_copy(const struct photos *p, struct command *c)
{
	struct evidence_ref refs[COMMAND_PHOTOS_MOST] = { 0 };
	int count = 0;

	for (size_t i = 0; i < p->evidence_count; i++, count++) {
		memcpy(refs[count].sha256, p->evidence[i]->sha256.data, EVIDENCE_DIGEST_SIZE);
		refs[count].role = (uint8_t)p->evidence[i]->role;
	}
	for (size_t i = 0; i < p->reference_count; i++)
		count += is_evidence(&p->references[i], refs[count].sha256);
	if (command_evidence(c, count))
		memcpy(c->evidence, refs, (size_t)count * sizeof *refs);
	copy_references(p, c);
}
