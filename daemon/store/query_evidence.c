#include "store/query_evidence.h"

#include <string.h>

#include "store/answer.h"

static enum query_status found_or_not(enum query_status status, _Bool found)
{
	return status == QUERY_OK && !found ? QUERY_NOT_FOUND : status;
}

static void take_row(sqlite3_stmt *st, struct result *mem, struct evidence_row *out)
{
	out->size = column_int(st, 0);
	out->type = result_text(mem, column_text(st, 1));
}

enum query_status query_evidence_of(struct reader *r, const uint8_t sha256[EVIDENCE_DIGEST_SIZE], const char *person,
                                    struct result *mem, struct evidence_row *out)
{
	int result = reader_begin(r, QUERY_DEADLINE_MS);
	_Bool found = 0;

	if (result == SQLITE_OK) {
		sqlite3_stmt *st = reader_use(r, READ_EVIDENCE_OF);

		bind_bytes(st, 1, sha256, EVIDENCE_DIGEST_SIZE);
		bind_text(st, 2, person);
		result = sqlite3_step(st);
		found = result == SQLITE_ROW;
		if (found)
			take_row(st, mem, out);
	}
	return found_or_not(reader_end(r, result), found);
}

/* The first number of a statement with at most a text or bytes and a number bound. */
static enum query_status one_number(struct reader *r, enum reader_statement which, const uint8_t *sha256,
                                    const char *person, int64_t number, int64_t *out)
{
	int result = reader_begin(r, QUERY_STATS_DEADLINE_MS);

	*out = 0;
	if (result == SQLITE_OK) {
		sqlite3_stmt *st = reader_use(r, which);

		if (sha256)
			bind_bytes(st, 1, sha256, EVIDENCE_DIGEST_SIZE);
		if (person) {
			bind_text(st, 1, person);
			bind_int(st, 2, number);
		}
		result = sqlite3_step(st);
		if (result == SQLITE_ROW)
			*out = column_int(st, 0);
	}
	return reader_end(r, result);
}

enum query_status query_evidence_sent(struct reader *r, const char *person, int64_t from_ms, int64_t *bytes)
{
	return one_number(r, READ_EVIDENCE_SENT, NULL, person, from_ms, bytes);
}

enum query_status query_evidence_known(struct reader *r, const uint8_t sha256[EVIDENCE_DIGEST_SIZE], _Bool *known)
{
	int64_t count;
	enum query_status status = one_number(r, READ_EVIDENCE_KNOWN, sha256, NULL, 0, &count);

	*known = count != 0;
	return status;
}

enum query_status query_evidence_used(struct reader *r, int64_t *bytes)
{
	return one_number(r, READ_EVIDENCE_USED, NULL, NULL, 0, bytes);
}

/* ---- the cases that name a file ---- */

static int read_case(struct reader *r, int64_t id, struct result *mem, struct evidence_cases *out)
{
	static const enum reader_statement tables[] = { READ_OPEN_CASE, READ_CLOSED_CASE };
	struct case_row row;

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		sqlite3_stmt *st = reader_use(r, tables[i]);
		int result;

		bind_int(st, 1, id);
		result = sqlite3_step(st);
		if (result == SQLITE_DONE)
			continue;
		if (result != SQLITE_ROW)
			return result;
		if (!answer_case(r, st, i == 1, mem, &row))
			return SQLITE_CORRUPT;
		out->cases[out->count++] = row.file;
		return SQLITE_ROW;
	}
	return SQLITE_DONE;
}

/* Who sees the case that another was merged into sees what that one brought. */
static int read_with_master(struct reader *r, int64_t id, struct result *mem, struct evidence_cases *out)
{
	int result = read_case(r, id, mem, out);
	int64_t master = result == SQLITE_ROW ? out->cases[out->count - 1].merged_into : 0;

	return master != 0 && out->count < QUERY_CASES_MOST ? read_case(r, master, mem, out) : result;
}

static int read_cases(struct reader *r, const uint8_t *sha256, struct result *mem, struct evidence_cases *out)
{
	int64_t ids[QUERY_CASES_MOST];
	size_t count = 0;
	sqlite3_stmt *st = reader_use(r, READ_EVIDENCE_CASES);
	int result;

	bind_bytes(st, 1, sha256, EVIDENCE_DIGEST_SIZE);
	bind_int(st, 2, QUERY_CASES_MOST);
	while ((result = sqlite3_step(st)) == SQLITE_ROW && count < QUERY_CASES_MOST)
		ids[count++] = column_int(st, 0);
	for (size_t i = 0; i < count && out->count < QUERY_CASES_MOST; i++) {
		result = read_with_master(r, ids[i], mem, out);
		if (result != SQLITE_ROW && result != SQLITE_DONE)
			return result;
	}
	return result;
}

enum query_status query_evidence_cases(struct reader *r, const uint8_t sha256[EVIDENCE_DIGEST_SIZE], struct result *mem,
                                       struct evidence_cases *out)
{
	int result = reader_begin(r, QUERY_DEADLINE_MS);
	_Bool found = 0;

	memset(out, 0, sizeof *out);
	if (result == SQLITE_OK) {
		sqlite3_stmt *st = reader_use(r, READ_EVIDENCE_ROW);

		bind_bytes(st, 1, sha256, EVIDENCE_DIGEST_SIZE);
		result = sqlite3_step(st);
		found = result == SQLITE_ROW;
		if (found)
			take_row(st, mem, &out->row);
	}
	if (found)
		result = read_cases(r, sha256, mem, out);
	return found_or_not(reader_end(r, result), found);
}

/* ---- what a case has ---- */

static void take_evidence(sqlite3_stmt *st, struct result *mem, struct case_evidence *out)
{
	int64_t role = column_int(st, 1);

	*out = (struct case_evidence){
		.role = role >= 0 && role < PHOTO_ROLE_COUNT ? (enum photo_role)role : PHOTO_UNSET,
		.event_id = column_int(st, 2),
		.person = result_text(mem, column_text(st, 3)),
		.at_ms = column_int(st, 4),
		.size = column_int(st, 5),
		.type = result_text(mem, column_text(st, 6)),
	};
	if (sqlite3_column_bytes(st, 0) == EVIDENCE_DIGEST_SIZE)
		memcpy(out->sha256, sqlite3_column_blob(st, 0), EVIDENCE_DIGEST_SIZE);
}

enum query_status query_case_evidence(struct reader *r, int64_t case_id, struct result *mem,
                                      struct case_evidence **rows, size_t *count)
{
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	*count = 0;
	*rows = result_take(mem, QUERY_EVIDENCE_MOST * sizeof **rows);
	if (result == SQLITE_OK) {
		sqlite3_stmt *st = reader_use(r, READ_CASE_EVIDENCE);

		bind_int(st, 1, case_id);
		bind_int(st, 2, QUERY_EVIDENCE_MOST);
		while ((result = sqlite3_step(st)) == SQLITE_ROW && *count < QUERY_EVIDENCE_MOST)
			take_evidence(st, mem, &(*rows)[(*count)++]);
	}
	return reader_end(r, result);
}
