#include "intake/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "intake/subscribe.h"
#include "intake/wire.h"
#include "net/frame.h"

/* ---- replies ---- */

_Bool session_send_bytes(struct session *s, const uint8_t *bytes, size_t length)
{
	uint8_t *room = s->stream ? stream_room(s->stream, length) : NULL;

	if (!room)
		return 0;
	memcpy(room, bytes, length);
	stream_wrote(s->stream, length);
	return 1;
}

void session_refuse(struct session *s, uint32_t seq, const struct refusal *why)
{
	uint8_t *room = s->stream ? stream_room(s->stream, WIRE_REPLY_MOST) : NULL;

	s->door->counts.refused++;
	if (room)
		stream_wrote(s->stream, wire_refusal(room, seq, why));
}

void session_done(struct session *s, uint32_t seq)
{
	uint8_t *room = s->stream ? stream_room(s->stream, WIRE_REPLY_MOST) : NULL;

	if (room)
		stream_wrote(s->stream, wire_done(room, seq));
}

void session_send(struct session *s, Gridloop__V1__ServerFrame *f)
{
	size_t size = wire_size(f);
	struct refusal why;

	if (size > (size_t)s->door->options.frame_most + FRAME_HEAD_MOST) {
		(void)refuse(&why, REFUSAL_TOO_LARGE, "reply-fits-a-frame",
		             "The reply would not fit a frame; ask for less.");
		session_refuse(s, f->seq, &why);
		return;
	}
	uint8_t *room = s->stream ? stream_room(s->stream, size) : NULL;

	if (room)
		stream_wrote(s->stream, wire_pack(f, room));
}

/* ---- what is under way ---- */

struct sender session_sender(const struct session *s, int64_t replay_at_ms)
{
	int64_t now = engine_now_ms(s->door->engine);

	/* The frame moves the replay clock first, so its own times are judged by where it moves it. */
	if (replay_at_ms > now)
		now = replay_at_ms;
	return (struct sender){
		.person = s->person,
		.credential = s->proof.credential,
		.channel = s->person->roles & ROLE_CAMERAS ? "camera" : "tcp",
		.now_ms = now,
		.replay_clock = s->door->options.replay_clock,
		.replay_at_ms = replay_at_ms,
		.digester = s->door->digester,
		.pool = s->door->pool,
	};
}

void session_sent_off(struct session *s)
{
	s->inflight++;
	if ((s->inflight < s->door->options.inflight_most && s->chunks < SESSION_CHUNKS_MOST) || !s->stream)
		return;
	s->held = 1;
	stream_pause(s->stream);
}

void session_chunk_sent_off(struct session *s)
{
	s->chunks++;
	session_sent_off(s);
}

/* Both ends are done with each other once nothing is under way. */
static void settle(struct session *s)
{
	if (s->inflight > 0)
		return;
	if (!s->stream)
		session_free(s);
	else if (s->ended)
		stream_finish(s->stream, "peer-ended");
}

void session_returned(struct session *s)
{
	must(s->inflight > 0);
	s->inflight--;
	if (s->held && s->stream && !s->door->stopping && s->inflight <= s->door->options.inflight_most / 2 &&
	    s->chunks <= SESSION_CHUNKS_MOST / 2) {
		s->held = 0;
		stream_resume(s->stream);
	}
	settle(s);
}

void session_answer(struct session *s, struct command *c, Gridloop__V1__ServerFrame *reply)
{
	reply->seq = c->origin.seq;
	if (c->outcome.accepted)
		session_send(s, reply);
	else
		session_refuse(s, c->origin.seq, &c->outcome.refusal);
	command_free(c);
	session_returned(s);
}

void session_chunk_returned(struct session *s)
{
	s->chunks--;
	session_returned(s);
}

void session_submit(struct session *s, struct command *c, uint32_t seq, void (*answer)(void *door, struct command *c))
{
	c->origin.answer = answer;
	c->origin.door = s;
	c->origin.seq = seq;
	session_sent_off(s);
	tcp_door_submit(s->door, c);
}

/* ---- who is there still ---- */

void session_note(struct session *s, enum audited what, const char *who)
{
	const char *channel = s->tls ? "tls" : s->peer.kind == PEER_UNIX ? "unix" : "tcp";

	logins_note(s->door->logins, what, who, channel, engine_mono_ms(s->door->engine));
}

static void shut_out(struct session *s)
{
	struct refusal why;

	subscription_end(s);
	session_note(s, AUDITED_SESSION_ENDED, s->person->id);
	s->person = NULL;
	(void)refuse(
		&why, REFUSAL_BAD_CREDENTIALS, "identity-still-holds",
		"What you logged in with was revoked, changed or has expired, or your identity is gone; log in again.");
	session_refuse(s, 0, &why);
	if (s->stream)
		stream_finish(s->stream, "identity-gone");
}

static _Bool still_proven(struct session *s, const struct person *now)
{
	struct engine *e = s->door->engine;
	_Bool holds = now && proof_holds(&s->proof, now, engine_roster(e), engine_now_ms(e));

	if (holds)
		tcp_door_expects_end(s->door, s->proof.expires_ms);
	else
		shut_out(s);
	return holds;
}

/* The person of the policy before is still there to be looked at. */
void session_change_policy(struct session *s)
{
	const struct person *before = s->person;
	const struct person *now = before ? policy_person(engine_policy(s->door->engine), before->id) : NULL;

	if (!before || !still_proven(s, now))
		return;
	s->person = now;
	subscription_change_person(s);
}

void session_look_at_proof(struct session *s)
{
	/* What stands in the file changes with the policy alone. */
	if (s->person && s->proof.credential != 0)
		(void)still_proven(s, s->person);
}

/* ---- frames ---- */

static void refuse_and_finish(struct session *s, uint32_t seq, enum refusal_code code, const char *rule,
                              const char *sentence)
{
	struct refusal why;

	(void)refuse(&why, code, rule, "%s", sentence);
	session_refuse(s, seq, &why);
	stream_finish(s->stream, rule);
}

static void serve_frame(struct session *s, const struct frame *frame)
{
	struct arena *arena = &s->door->arena;
	Gridloop__V1__ClientFrame *f;

	s->door->counts.frames++;
	arena_reset(arena);
	f = gridloop__v1__client_frame__unpack(&arena->allocator, frame->length, frame->body);
	if (f)
		request_serve(s, f);
	else
		refuse_and_finish(s, wire_guess_seq(frame->body, frame->length), REFUSAL_MALFORMED,
		                  "frame-is-a-message",
		                  arena->ran_out ? "The frame has too many parts." : "The frame is not a ClientFrame.");
}

static void refuse_cut(struct session *s, enum frame_result result)
{
	if (result == FRAME_TOO_LARGE)
		refuse_and_finish(
			s, 0, REFUSAL_TOO_LARGE, "frame-is-small-enough",
			"The frame is over the limit; send photos as evidence in chunks and batches in parts.");
	else
		refuse_and_finish(s, 0, REFUSAL_MALFORMED, "frame-has-a-length",
		                  "A frame begins with its length as a varint in its shortest form.");
}

static size_t on_input(void *ctx, const uint8_t *bytes, size_t length)
{
	struct session *s = ctx;
	size_t used = 0;

	while (used < length && stream_takes_input(s->stream)) {
		struct frame frame;
		enum frame_result result =
			frame_next(bytes + used, length - used, (size_t)s->door->options.frame_most, &frame);

		if (result == FRAME_PART)
			break;
		if (result != FRAME_WHOLE) {
			refuse_cut(s, result);
			return length;
		}
		used += frame.whole;
		serve_frame(s, &frame);
	}
	return used;
}

static void on_ended(void *ctx)
{
	struct session *s = ctx;

	s->ended = 1;
	settle(s);
}

static void on_drained(void *ctx)
{
	struct session *s = ctx;

	subscription_go_on(s);
}

static void on_closed(void *ctx, const char *why)
{
	struct session *s = ctx;
	struct tcp_door *d = s->door;

	log_line(LOG_LEVEL_DEBUG, "connection-closed", "why=%s inflight=%lld", why, (long long)s->inflight);
	s->stream = NULL;
	s->tls = NULL;
	subscription_end(s);
	d->counts.connections--;
	crowd_leave(d->crowd, s->address, s->stranger);
	listener_gone(d->listener);
	settle(s);
}

static const struct stream_handler session_handler = { on_input, on_ended, on_drained, on_closed };

/* ---- a life ---- */

struct session *session_new(struct tcp_door *d, int fd, struct peer peer, struct crowd_address *address, _Bool tls)
{
	struct session *s = must_calloc(1, sizeof *s);

	s->door = d;
	s->address = address;
	s->stranger = 1;
	s->peer = peer;
	s->peer_rules = peer_rules(peer, fd);
	s->tls = tls ? tls_accept(d->options.tls, fd) : NULL;
	s->stream = stream_new(d->streams, fd, tls ? &transport_tls : &transport_plain, s->tls, &session_handler, s);
	stream_set_patience(s->stream, d->options.idle_ms, "idle");
	stream_set_deadline(s->stream, d->options.login_ms, "no-login");
	LIST_INSERT_HEAD(&d->sessions, s, all);
	return s;
}

void session_greet(struct session *s)
{
	if (s->stranger)
		crowd_greet(s->door->crowd, s->address);
	s->stranger = 0;
}

void session_free(struct session *s)
{
	must(!s->stream);
	LIST_REMOVE(s, all);
	free(s);
}
