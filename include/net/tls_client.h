/* tls_client: TLS of the calling side: whose certificates are believed, whether the one that answers is for the name that
 * was called, and our own certificate when there is one. Goes with transport_tls of net/tls.h. */
#ifndef NET_TLS_CLIENT_H
#define NET_TLS_CLIENT_H

#include <stddef.h>

#include "base/must.h"
#include "net/tls.h"

struct tls_client_files {
	const char *ca;                /* PEM: the authorities believed; NULL: those of the system */
	const char *certificate, *key; /* PEM: who we are; both or neither */
};

/* A connection to host (a name or an address, which the certificate must be for) over a connected non-blocking socket.
 * NULL with *cause (heap): a file is wrong. The socket stays the caller's until transport_tls closes it. */
struct tls *tls_connect(const struct tls_client_files *files, const char *host, int fd, char **cause) MUST_USE;

/* One step of the handshake: 0 when it is over, else TRANSPORT_WAIT (for bytes), TRANSPORT_WAIT_OTHER (until the socket
 * takes some) or TRANSPORT_FAILED. */
ssize_t tls_shake(struct tls *t) MUST_USE;

/* Why it failed, for people: "its certificate expired on …". "": it has not, or the connection was simply lost. */
const char *tls_failure(const struct tls *t);

/* SHA-256 of the DER bytes of the first certificate in a PEM file, as people and credentials name it. false with *cause
 * (heap). */
_Bool tls_fingerprint_of_file(const char *path, uint8_t out[DIGEST_SIZE], char **cause) MUST_USE;

#endif
