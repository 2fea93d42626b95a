/* client: one connection to gridloopd, blocking for those who ask one thing and pipelining for those who ask many. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <stdint.h>

#include "trouble.h"
#include "wire.h"

/* Where and as whom. The texts belong to the caller. */
struct login {
	const char *server;      /* "host:port", "[v6]:port", "unix:/path" */
	const char *who, *token; /* token NULL: the certificate speaks for who */
	_Bool tls;
	const char *ca;                /* PEM: the authorities believed; NULL: those of the system */
	const char *certificate, *key; /* PEM: our own; NULL: none */
};

struct client;

#define CLIENT_CONNECT_MS 5000
#define CLIENT_REPLY_MS 30000
#define CLIENT_TRIES 7 /* of client_ask_surely: pauses of 0.25 s doubling, 16 s in all */

/* Connects and logs in. NULL with *why. */
struct client *client_open(const struct login *l, struct trouble *why) MUST_USE;
/* Connects in the open and does not log in. */
struct client *client_open_as_nobody(const char *server, struct trouble *why) MUST_USE;
/* Whether a daemon answers there, asked as nobody in particular; by TLS, whether one speaks it. false with *why. */
_Bool client_answers(const struct login *l, struct trouble *why) MUST_USE;
void client_close(struct client *c); /* NULL is fine */

/* What the daemon said at login. */
int64_t client_now_ms(const struct client *c);
const char *client_who(const struct client *c);
const char *client_server(const struct client *c);
const char *client_roles(const struct client *c); /* joined by ", " */
int64_t client_last_notice(const struct client *c);

/* ---- pipelining ---- */
/* Packs the frame behind what waits to be sent and numbers it; returns the number, 0 when it is larger than a frame. */
uint32_t client_queue(struct client *c, client_frame *f);
size_t client_queued_bytes(const struct client *c);
/* Sends what waits. Reads meanwhile, so that two full pipes cannot wait for each other. */
_Bool client_flush(struct client *c, struct trouble *why) MUST_USE;
/* The next frame, reply or push. NULL: with why->exit EXIT_OK nothing came within wait_ms, else the connection is lost. */
server_frame *client_receive(struct client *c, int64_t wait_ms, struct trouble *why) MUST_USE;

/* ---- one at a time ---- */
/* Sends and waits for the reply; pushes that come meanwhile are dropped. NULL with *why: refused or lost. */
server_frame *client_ask(struct client *c, client_frame *f, int64_t wait_ms, struct trouble *why) MUST_USE;
/* As client_ask for a frame whose resend is safe: opens *c when it is NULL, reopens it when it is lost, waits and sends
 * the same again when the daemon asks for that. The frame must carry its key. */
server_frame *client_ask_surely(struct client **c, const struct login *l, client_frame *f,
                                struct trouble *why) MUST_USE;

/* Sleeps before try number `attempt` (from 1), growing and a little uneven so that many clients do not come back at once. */
void client_pause(int attempt, int64_t least_ms);

#endif
