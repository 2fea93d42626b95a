/* tls: TLS 1.2 and 1.3 of the serving side: a certificate with its key, and connections under it. No older protocol, no
 * renegotiation, no compression, no tickets and no resumption: a connection lasts for hours, and what cannot be resumed
 * cannot outlive the withdrawal of a certificate. Whatever bytes come, the worst is a failed connection.
 *
 * A server's files are read once; a reload makes another one, and connections keep theirs. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/must.h"
#include "base/problems.h"
#include "net/transport.h"

struct tls_files {
	const char *certificate; /* PEM: the server's, then those between it and its authority */
	const char *key;         /* PEM, without a passphrase */
	const char *client_ca;   /* PEM: whose client certificates are believed; "": none is asked for */
};

#define TLS_EXPIRY_WARNING_DAYS 21

struct tls_server;

/* Any thread. NULL: each mistake is a line in *p that names its file: missing, unreadable, not PEM, no pair, expired or not
 * yet valid at now_ms (UTC). What is about to expire, or lies open to others, is a warning. */
struct tls_server *tls_server_new(const struct tls_files *files, int64_t now_ms, struct problems *p) MUST_USE;
/* Connections hold it too, so it goes with the last of them. Any thread. */
struct tls_server *tls_server_hold(struct tls_server *s); /* gives s back */
void tls_server_release(struct tls_server *s);            /* NULL is fine */
/* Which certificate it is and until when, as a line of the log. */
void tls_server_log(const struct tls_server *s);

struct tls;

/* A new connection of the server, to go with transport_tls; the peer speaks first. The handshake happens in its first
 * reads and has no deadline of its own. */
struct tls *tls_accept(struct tls_server *s, int fd) MUST_USE;
extern const struct transport transport_tls;

/* The SHA-256 of the certificate that the peer proved to hold and that one of the believed authorities has signed, as 64
 * lower-case hex digits. false: it showed none, or the handshake is not over. */
_Bool tls_peer_fingerprint(const struct tls *t, char out[DIGEST_TEXT_SIZE]) MUST_USE;

#endif
