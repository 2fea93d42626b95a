/* Evidence: rows against rows, and files against rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "store/evidence.h"
#include "store/schema.h"
#include "store/verifier.h"

/* ---- rows ---- */

static void check_named(struct verifier *v)
{
	sqlite3_stmt *st = verifier_prepare(
		v, "SELECT c.case_id, e.size IS NOT NULL, e.named = 1, v.id IS NOT NULL FROM case_evidence AS c"
		   " LEFT JOIN evidence AS e ON e.sha256 = c.sha256 AND e.person = c.person"
		   " LEFT JOIN case_event AS v ON v.id = c.event_id AND v.case_id = c.case_id AND v.actor = c.person");

	while (verifier_next(v, st)) {
		const char *broken = !column_int(st, 1)   ? "names what nobody uploaded"
		                     : !column_int(st, 2) ? "names what may be removed"
		                                          : "names by an event that it does not have";

		(void)verifier_look(v, VERIFY_EVIDENCE, column_int(st, 1) && column_int(st, 2) && column_int(st, 3),
		                    "case %lld %s", (long long)column_int(st, 0), broken);
	}
	(void)sqlite3_finalize(st);
}

/* The bits of an event are the roles of its rows; that near and far came with the report is a bit of its own. */
static void check_roles(struct verifier *v)
{
	sqlite3_stmt *st = verifier_prepare(
		v, "SELECT id, photo_roles & 31, coalesce((SELECT sum(bit) FROM (SELECT DISTINCT 1 << role AS bit"
		   " FROM case_evidence WHERE case_id = e.case_id AND event_id = e.id)), 0), photo_roles"
		   " FROM case_event AS e WHERE (photo_roles <> 0 OR id IN (SELECT event_id FROM case_evidence))"
		   " AND NOT EXISTS (SELECT 1 FROM closed_case AS c WHERE c.id = e.case_id AND c.erased = 1)");
	const int64_t both = PHOTO_NEAR_AND_FAR;

	while (verifier_next(v, st)) {
		int64_t bits = column_int(st, 3);
		_Bool reported = (bits & PHOTO_REPORTED) == 0 || (bits & both) == both;

		(void)verifier_look(v, VERIFY_ROLES, column_int(st, 1) == column_int(st, 2) && reported,
		                    "event %lld has photos of %lld, its rows say %lld", (long long)column_int(st, 0),
		                    (long long)bits, (long long)column_int(st, 2));
	}
	(void)sqlite3_finalize(st);
}

void verifier_evidence(struct verifier *v)
{
	check_named(v);
	check_roles(v);
}

/* ---- files ---- */

#define READ_BLOCK 65536

/* What is wrong with a file; NULL: nothing. */
static const char *look_at_file(struct digester *d, const char *folder, const uint8_t *sha256, int64_t size)
{
	uint8_t block[READ_BLOCK], digest[DIGEST_SIZE];
	int64_t at = 0, got;

	digest_begin(d);
	while ((got = evidence_read(folder, sha256, at, block, sizeof block)) > 0) {
		digest_add(d, block, (size_t)got);
		at += got;
	}
	digest_end(d, digest);
	if (got < 0)
		return "is not there or cannot be read";
	if (at != size)
		return "has another size";
	return memcmp(digest, sha256, sizeof digest) == 0 ? NULL : "has other bytes";
}

static void check_files(struct verifier *v, struct verify_check *check, const char *folder)
{
	sqlite3_stmt *st = verifier_prepare(v, "SELECT sha256, max(size) FROM evidence GROUP BY sha256");
	struct digester *d = digester_new();
	char ref[EVIDENCE_REF_SIZE];

	while (verifier_next(v, st)) {
		uint8_t sha256[EVIDENCE_DIGEST_SIZE] = { 0 };

		if (sqlite3_column_bytes(st, 0) == EVIDENCE_DIGEST_SIZE)
			memcpy(sha256, sqlite3_column_blob(st, 0), sizeof sha256);
		const char *broken = look_at_file(d, folder, sha256, column_int(st, 1));

		check->looked_at++;
		evidence_text(sha256, ref);
		if (broken && check->broken++ == 0)
			(void)snprintf(check->first, sizeof check->first, "%s %s", ref, broken);
		if (v->progress)
			v->progress(v->ctx, check->looked_at, v->all);
	}
	(void)sqlite3_finalize(st);
	digester_free(d);
}

_Bool verify_evidence(const char *path, const char *folder, void (*progress)(void *ctx, int64_t done, int64_t all),
                      void *ctx, struct verify_report *out, char **cause)
{
	struct verifier v = { .report = out, .progress = progress, .ctx = ctx };
	_Bool readable, ok = 1;

	must(out->count < VERIFY_CHECKS_MOST);
	if (!connection_open(&v.connection, path, NULL, CONNECTION_READ, NULL, 0, cause))
		return 0;
	readable = schema_check(&v.connection, cause);
	if (readable) {
		struct verify_check *check = &out->checks[out->count++];

		check->name = "every file of evidence has its digest";
		v.all = connection_number(&v.connection, "SELECT count(DISTINCT sha256) FROM evidence", 0, &ok);
		check_files(&v, check, folder);
	}
	connection_close(&v.connection);
	return readable;
}
