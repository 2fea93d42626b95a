#include "intake/uploads.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intake/check.h"
#include "intake/wire.h"
#include "store/query_evidence.h"

#define CHUNK_AROUND 128 /* bytes of seq, digest, tags and lengths around a chunk */
#define RETRY_MS 200

enum upload_end { UPLOAD_REFUSED, UPLOAD_GOES_ON, UPLOAD_PROVEN, UPLOAD_COMPLETE };

/* One request under way: to the evidence thread, perhaps to the writer, and back. */
struct upload {
	struct file_job job; /* first: the engine knows only this */
	struct session *session;
	uint32_t seq;
	int64_t replay_at_ms;
	char person[COMMAND_ID_MOST + 1];
	struct evidence_upload about;
	enum evidence_kind kind;
	_Bool begins; /* BeginEvidence, else PutChunk */
	int64_t offset;
	struct evidence_proof *proof;
	enum upload_end end;
	struct evidence_found found;
	char type_text[EVIDENCE_TYPE_MOST + 1];
	struct refusal why;
	size_t length;
	uint8_t bytes[];
};

static void upload_free(struct upload *u)
{
	evidence_proof_free(u->proof);
	free(u);
}

/* ---- on the evidence thread ---- */

/* Whether the person has it already: true with the state filled. */
static _Bool is_complete(struct upload *u, struct reader *r)
{
	struct result mem = { 0 };
	struct evidence_row row;
	_Bool complete = query_evidence_of(r, u->about.sha256, u->person, &mem, &row) == QUERY_OK;

	if (complete) {
		u->end = UPLOAD_COMPLETE;
		u->about.size = u->about.have = row.size;
		(void)strncat(u->type_text, row.type, EVIDENCE_TYPE_MOST);
	}
	result_close(&mem);
	return complete;
}

static _Bool begin(struct upload *u, struct evidence *e, struct reader *r, int64_t now_ms)
{
	int64_t today = 0, midnight = 0;

	(void)clock_local_day(now_ms, &midnight, NULL);
	if (query_evidence_sent(r, u->person, midnight, &today) != QUERY_OK)
		return refuse(&u->why, REFUSAL_INTERNAL, "database-answers", "The database could not be read.");
	return evidence_begin(e, &u->about, u->kind, today, &u->why);
}

/* The first turn: what was asked for itself. */
static void start(struct upload *u, struct evidence *e, struct reader *r, int64_t now_ms)
{
	_Bool well;

	if (u->begins && is_complete(u, r))
		return;
	if (u->begins)
		well = begin(u, e, r, now_ms);
	else
		well = evidence_put(e, &u->about, u->offset, u->bytes, u->length, &u->why);
	u->end = well ? UPLOAD_GOES_ON : UPLOAD_REFUSED;
	/* A chunk sent again because the reply to the last one was lost finds no upload any more, but the file. */
	if (!well && !u->begins)
		(void)is_complete(u, r);
	if (well && u->about.have == u->about.size)
		u->proof = evidence_proof_new(e, &u->about);
}

static _Bool run(struct file_job *job, struct evidence *e, struct reader *r, int64_t now_ms)
{
	static const enum upload_end ends[] = {
		[PROOF_GOES_ON] = UPLOAD_GOES_ON, [PROOF_HOLDS] = UPLOAD_PROVEN, [PROOF_FAILS] = UPLOAD_REFUSED
	};
	struct upload *u = (struct upload *)job;
	_Bool had_proof = u->proof != NULL;

	if (!had_proof)
		start(u, e, r, now_ms);
	if (u->end == UPLOAD_GOES_ON && had_proof)
		u->end = ends[evidence_proof_go_on(u->proof, &u->found, &u->why)];
	return u->end == UPLOAD_GOES_ON && u->proof != NULL;
}

/* The database has the row: the partial is not needed any more. */
static _Bool run_settle(struct file_job *job, struct evidence *e, struct reader *r, int64_t now_ms)
{
	struct upload *u = (struct upload *)job;

	(void)r;
	(void)now_ms;
	evidence_drop_partial(e, u->person, u->about.sha256);
	return 0;
}

static void done_settling(struct file_job *job)
{
	upload_free((struct upload *)job);
}

/* ---- on the loop ---- */

static void send_state(struct upload *u)
{
	Gridloop__V1__EvidenceState m = GRIDLOOP__V1__EVIDENCE_STATE__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	struct session *s = u->session;

	m.sha256 = (ProtobufCBinaryData){ sizeof u->about.sha256, u->about.sha256 };
	m.size = u->about.size;
	m.have = u->about.have;
	m.complete = u->end == UPLOAD_COMPLETE;
	m.type = wire_text(m.complete ? u->type_text : NULL);
	m.chunk_max = upload_chunk_most(s->door->options.frame_most);
	f.seq = u->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_EVIDENCE_STATE;
	f.evidence_state = &m;
	session_send(s, &f);
}

static void finish(struct upload *u)
{
	struct session *s = u->session;

	if (u->end == UPLOAD_REFUSED)
		session_refuse(s, u->seq, &u->why);
	else
		send_state(u);
	session_chunk_returned(s);
}

static void answer_kept(void *door, struct command *c)
{
	struct upload *u = c->origin.extra;
	struct tcp_door *d = u->session->door;

	(void)door;
	u->end = c->outcome.accepted ? UPLOAD_COMPLETE : UPLOAD_REFUSED;
	u->why = c->outcome.refusal;
	command_free(c);
	finish(u);
	/* Without a place in the queue the partial lies about until it expires. */
	u->job = (struct file_job){ .run = run_settle, .done = done_settling };
	if (u->end != UPLOAD_COMPLETE || !engine_file(d->engine, &u->job))
		upload_free(u);
}

/* The file is in its place: now the row. */
static void submit_kept(struct upload *u)
{
	struct command *c = command_new(COMMAND_KEEP, sizeof u->person + sizeof u->type_text + sizeof *c->evidence);

	(void)strncat(u->type_text, u->found.type, EVIDENCE_TYPE_MOST);
	c->actor = command_text(c, u->person, strlen(u->person));
	c->label = command_text(c, u->type_text, strlen(u->type_text));
	c->channel = "tcp";
	c->replay_at_ms = u->replay_at_ms;
	c->value = u->about.size;
	struct evidence_ref *file = command_evidence(c, 1);

	memcpy(file->sha256, u->about.sha256, EVIDENCE_DIGEST_SIZE);
	memcpy(file->look, u->found.look, sizeof file->look);
	c->origin.answer = answer_kept;
	c->origin.door = u->session;
	c->origin.extra = u;
	tcp_door_submit_at_once(u->session->door, c);
}

static void done(struct file_job *job)
{
	struct upload *u = (struct upload *)job;

	evidence_proof_free(u->proof);
	u->proof = NULL;
	if (u->end == UPLOAD_PROVEN) {
		submit_kept(u);
		return;
	}
	finish(u);
	upload_free(u);
}

/* ---- requests ---- */

int64_t upload_chunk_most(int64_t frame_most)
{
	return frame_most - CHUNK_AROUND;
}

static _Bool check_digest(const ProtobufCBinaryData *sha256, struct refusal *why)
{
	if (sha256->len == EVIDENCE_DIGEST_SIZE)
		return 1;
	return refuse(why, REFUSAL_INVALID, "evidence-is-a-digest", "Evidence is named by its 32 bytes SHA-256.");
}

static struct upload *upload_new(struct session *s, const Gridloop__V1__ClientFrame *f,
                                 const ProtobufCBinaryData *sha256, size_t length)
{
	struct upload *u = must_calloc(1, sizeof *u + length);

	u->job = (struct file_job){ .run = run, .done = done };
	u->session = s;
	u->seq = f->seq;
	u->replay_at_ms = f->replay_at_ms;
	(void)strncat(u->person, s->person->id, COMMAND_ID_MOST);
	u->about.person = u->person;
	u->about.gateway = (s->person->roles & (ROLE_GATEWAY | ROLE_CAMERAS)) != 0;
	memcpy(u->about.sha256, sha256->data, EVIDENCE_DIGEST_SIZE);
	return u;
}

static _Bool send_off(struct upload *u, struct refusal *why)
{
	struct session *s = u->session;

	if (engine_file(s->door->engine, &u->job)) {
		session_chunk_sent_off(s);
		return 1;
	}
	upload_free(u);
	if (!engine_evidence(s->door->engine))
		return refuse(why, REFUSAL_NOT_ALLOWED, "evidence-is-taken", "This daemon takes no evidence.");
	(void)refuse(why, REFUSAL_RETRY_LATER, "uploads-have-room", "Too many uploads at once; go on in a moment.");
	why->retry_after_ms = RETRY_MS;
	return 0;
}

_Bool upload_begin(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const Gridloop__V1__BeginEvidence *m = f->begin_evidence;

	if (!check_digest(&m->sha256, why) ||
	    !check_range((int64_t)m->kind, EVIDENCE_ANY, EVIDENCE_CLIP, "evidence-kind-is-known", why))
		return 0;
	struct upload *u = upload_new(s, f, &m->sha256, 0);

	u->begins = 1;
	u->kind = (enum evidence_kind)m->kind;
	u->about.size = m->size;
	return send_off(u, why);
}

_Bool upload_chunk(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const Gridloop__V1__PutChunk *m = f->put_chunk;

	if (!check_digest(&m->sha256, why))
		return 0;
	struct upload *u = upload_new(s, f, &m->sha256, m->bytes.len);

	u->offset = m->offset;
	u->length = m->bytes.len;
	if (m->bytes.len > 0)
		memcpy(u->bytes, m->bytes.data, m->bytes.len);
	return send_off(u, why);
}
