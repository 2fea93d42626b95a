/* Fetching evidence: a reader's thread finds out whether the asker may see it, and reads the bytes. */
#include <string.h>

#include "intake/check.h"
#include "intake/look.h"
#include "intake/question.h"
#include "intake/reach.h"
#include "intake/uploads.h"
#include "intake/wire.h"
#include "store/query_evidence.h"

struct evidence_question {
	struct question q;
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	int64_t offset, length;
	const char *folder;
};

/* Its sender, and whoever may see a case that names it. */
static _Bool may_fetch(struct evidence_question *e, struct reader *r, const struct evidence_cases *found)
{
	struct evidence_row own;

	for (size_t i = 0; i < found->count; i++)
		if (reach_sees(e->q.policy, e->q.person, RIGHT_GET_EVIDENCE, &found->cases[i], e->q.now_ms))
			return 1;
	return query_evidence_of(r, e->sha256, e->q.person->id, &e->q.rows, &own) == QUERY_OK;
}

static void reply_bytes(struct evidence_question *e, const struct evidence_row *row)
{
	Gridloop__V1__EvidenceChunk m = GRIDLOOP__V1__EVIDENCE_CHUNK__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	size_t most = (size_t)upload_chunk_most((int64_t)e->q.frame_most);
	size_t length = e->length > 0 && e->length < (int64_t)most ? (size_t)e->length : most;
	uint8_t *bytes = question_take(&e->q, length);
	int64_t got = evidence_read(e->folder, e->sha256, e->offset, bytes, length);

	if (got < 0) {
		question_refuse(&e->q, REFUSAL_INTERNAL, "folder-works",
		                "The file is named, but cannot be read; tell the operator.");
		return;
	}
	m.sha256 = (ProtobufCBinaryData){ sizeof e->sha256, e->sha256 };
	m.size = row->size;
	m.type = wire_text(row->type);
	m.offset = e->offset;
	m.bytes = (ProtobufCBinaryData){ (size_t)got, bytes };
	f.seq = e->q.seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_EVIDENCE_CHUNK;
	f.evidence_chunk = &m;
	question_reply(&e->q, &f);
}

static void ask_evidence(struct question *q, struct reader *r)
{
	struct evidence_question *e = (struct evidence_question *)q;
	struct evidence_cases found;
	enum query_status status = query_evidence_cases(r, e->sha256, &q->rows, &found);

	if (status != QUERY_NOT_FOUND && !question_went_well(q, status))
		return;
	/* The same words whether it is there or not: who may not see it is not told that somebody has it. */
	if (status == QUERY_NOT_FOUND || !may_fetch(e, r, &found))
		question_deny(q, RIGHT_GET_EVIDENCE, NULL, "evidence-is-yours-to-see");
	else
		reply_bytes(e, &found.row);
}

static void told(struct question *q)
{
	(void)session_send_bytes(q->session, q->reply, q->reply_length);
	q->session->chunks--;
}

static _Bool send_off(struct evidence_question *e, struct refusal *why)
{
	struct session *s = e->q.session;
	char digest[DIGEST_TEXT_SIZE];
	_Bool is_new = memcmp(s->looked_at, e->sha256, sizeof s->looked_at) != 0;
	struct look look = { .what = is_new && reach_is_staff(s->person) ? AUDITED_LOOK_EVIDENCE : AUDITED_NONE,
		             .subject = digest };

	_Static_assert(sizeof s->looked_at == EVIDENCE_DIGEST_SIZE, "a file is known by its digest");
	digest_text(e->sha256, digest);
	memcpy(s->looked_at, e->sha256, sizeof s->looked_at);
	return look_send(&e->q, &look, why);
}

_Bool query_get_evidence(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const Gridloop__V1__GetEvidence *m = f->get_evidence;

	if (m->sha256.len != EVIDENCE_DIGEST_SIZE)
		return refuse(why, REFUSAL_INVALID, "evidence-is-a-digest",
		              "Evidence is named by its 32 bytes SHA-256.");
	if (!engine_evidence(s->door->engine))
		return refuse(why, REFUSAL_NOT_ALLOWED, "evidence-is-taken", "This daemon keeps no evidence.");
	if (!check_range(m->offset, 0, INT64_MAX / 2, "offset-is-within-the-file", why) ||
	    !check_range(m->length, 0, INT64_MAX / 2, "length-is-a-number", why))
		return 0;
	struct evidence_question *q = question_new(s, f->seq, sizeof *q, ask_evidence);

	memcpy(q->sha256, m->sha256.data, EVIDENCE_DIGEST_SIZE);
	q->offset = m->offset;
	q->length = m->length;
	q->folder = engine_evidence(s->door->engine);
	q->q.told = told;
	s->chunks++;
	if (send_off(q, why))
		return 1;
	s->chunks--;
	return 0;
}
