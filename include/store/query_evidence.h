/* query_evidence: whose a file of evidence is, and which cases name it. */
#ifndef STORE_QUERY_EVIDENCE_H
#define STORE_QUERY_EVIDENCE_H

#include "store/query.h"

struct evidence_row {
	int64_t size;
	const char *type;
};
/* QUERY_NOT_FOUND: this person has not uploaded this file completely. */
enum query_status query_evidence_of(struct reader *r, const uint8_t sha256[EVIDENCE_DIGEST_SIZE], const char *person,
                                    struct result *mem, struct evidence_row *out) MUST_USE;
/* Bytes that the person has completed since from_ms. */
enum query_status query_evidence_sent(struct reader *r, const char *person, int64_t from_ms, int64_t *bytes) MUST_USE;
/* Whether anybody has uploaded it. */
enum query_status query_evidence_known(struct reader *r, const uint8_t sha256[EVIDENCE_DIGEST_SIZE],
                                       _Bool *known) MUST_USE;
/* Bytes of all files. */
enum query_status query_evidence_used(struct reader *r, int64_t *bytes) MUST_USE;

/* The file and the newest cases that name it; QUERY_NOT_FOUND: nobody has uploaded it. */
#define QUERY_CASES_MOST 16
struct evidence_cases {
	struct evidence_row row;
	struct case_file cases[QUERY_CASES_MOST];
	size_t count;
};
enum query_status query_evidence_cases(struct reader *r, const uint8_t sha256[EVIDENCE_DIGEST_SIZE], struct result *mem,
                                       struct evidence_cases *out) MUST_USE;

/* What a case has, oldest first; of more than QUERY_EVIDENCE_MOST the newest. */
#define QUERY_EVIDENCE_MOST 64
struct case_evidence {
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	enum photo_role role;
	int64_t size, at_ms, event_id;
	const char *type, *person;
};
enum query_status query_case_evidence(struct reader *r, int64_t case_id, struct result *mem,
                                      struct case_evidence **rows, size_t *count) MUST_USE;

#endif
