/* session: one connection of the TCP door, from its first byte to the last answer owed to it. Shared by the files of
 * intake/ that serve such connections; nobody else includes it. */
#ifndef INTAKE_SESSION_H
#define INTAKE_SESSION_H

#include <event2/event_struct.h>
#include <sys/queue.h>

#include "gridloop.pb-c.h"
#include "intake/arena.h"
#include "intake/convert.h"
#include "intake/logins.h"
#include "intake/proof.h"
#include "intake/tcp.h"
#include "net/listener.h"
#include "net/peer.h"
#include "net/stream.h"
#include "net/tls.h"

#define SESSION_WRONG_TOKENS_MOST 5
#define SESSION_CHUNKS_MOST 4 /* pieces of evidence of one connection under way, either direction */
#define DOOR_GATHER_MOST 64   /* commands of one turn handed over together */

struct subscription;

struct session {
	struct tcp_door *door;
	struct crowd_address *address; /* where it is counted */
	_Bool stranger;                /* not logged in so far */
	struct stream *stream;         /* NULL: the connection is gone, answers under way are waited for */
	const struct person *person;   /* NULL: not logged in */
	struct subscription *subscription;
	int64_t inflight; /* commands, queries and pieces of evidence under way */
	int64_t chunks;   /* of these the pieces of evidence, which are large */
	_Bool held;       /* not read until some of that has come back */
	struct peer peer;
	_Bool peer_rules; /* root or the daemon's own user, at a Unix socket */
	int wrong_tokens;
	uint8_t looked_at[32]; /* the file of evidence last recorded as looked at: one row a file, not a chunk */
	uint8_t exported[32];  /* whose copy was last begun here, by SHA-256: one row a copy, not a page */
	struct tls *tls;       /* the stream's; NULL: a plain connection */
	struct proof proof;    /* how the person logged in */
	const char *cut_why;   /* set: the connection ends behind the reply being made */
	_Bool ended;           /* the peer sends no more */
	LIST_ENTRY(session) all;
};

/* Commands that the engine had no room for, in order. At most the rest of one frame, for then all reading stops. */
struct held_command {
	struct command *command;
	STAILQ_ENTRY(held_command) next;
};

struct tcp_door {
	struct tcp_door_options options;
	struct event_base *base;
	struct engine *engine;
	struct listener *listener;
	struct crowd *crowd;
	struct stream_loop *streams;
	struct digester *digester;
	struct command_pool *pool;
	struct rates *rates;
	struct login_limits *login_limits;
	struct logins *logins; /* what of logins the audit is told */
	struct arena arena;    /* for the frame being read */
	struct subscribers *subscribers;
	struct tcp_door_counts counts;
	_Bool stopping;
	LIST_HEAD(, session) sessions;
	STAILQ_HEAD(, held_command) held;
	struct command *gathered[DOOR_GATHER_MOST]; /* in this turn of the loop, in order */
	size_t gathered_count;
	struct event tick;    /* looks for what has expired */
	int64_t first_end_ms; /* when the first of the sessions' proofs expires; 0: none does */
};

/* ---- session.c ---- */
struct session *session_new(struct tcp_door *d, int fd, struct peer peer, struct crowd_address *address, _Bool tls);
void session_free(struct session *s);
/* Somebody has logged in: the connection is no stranger's any more. */
void session_greet(struct session *s);
/* Another policy is in force, or what proves people has changed, or time has passed: who has nothing left is shut out. */
void session_change_policy(struct session *s);
void session_look_at_proof(struct session *s);
void session_note(struct session *s, enum audited what, const char *who); /* as logins_note */
/* Replies, each to the request with this seq. */
void session_refuse(struct session *s, uint32_t seq, const struct refusal *why);
void session_done(struct session *s, uint32_t seq);
/* Any message; one too large for a frame becomes a refusal. */
void session_send(struct session *s, Gridloop__V1__ServerFrame *f);
/* Bytes of whole frames, made elsewhere. false: the connection is over. */
_Bool session_send_bytes(struct session *s, const uint8_t *bytes, size_t length);
/* A request goes under way, and comes back: at the limit reading stops, at half of it it goes on. The session may be
 * gone after the return. A piece of evidence counts towards a limit of its own too. */
void session_sent_off(struct session *s);
void session_returned(struct session *s);
/* The end of a command that came back: this reply, or its refusal. Frees it; the session may be gone after. */
void session_answer(struct session *s, struct command *c, Gridloop__V1__ServerFrame *reply);
void session_chunk_sent_off(struct session *s);
void session_chunk_returned(struct session *s);
/* Sends off a command of this session; its answer comes to the function. */
void session_submit(struct session *s, struct command *c, uint32_t seq, void (*answer)(void *door, struct command *c));
struct sender session_sender(const struct session *s, int64_t replay_at_ms);

/* ---- tcp.c ---- */
/* Hands the command to the engine at the end of the loop's turn, so that the writer is woken once for all of them; what
 * it has no room for is kept, and all reading stops until it has. */
void tcp_door_submit(struct tcp_door *d, struct command *c);
/* The same outside a turn of the streams, where nothing would hand it over: at once. */
void tcp_door_submit_at_once(struct tcp_door *d, struct command *c);

/* A session's proof expires then; 0: never. */
void tcp_door_expects_end(struct tcp_door *d, int64_t expires_ms);

/* ---- requests.c, batch.c: one frame that could be read ---- */
void request_serve(struct session *s, const Gridloop__V1__ClientFrame *f);
_Bool batch_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);

#endif
