/* transport: what carries a stream's bytes: plain TCP, or TLS (net/tls.h), as a struct of functions over a non-blocking
 * socket. A state belongs to one connection and one thread. */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stddef.h>
#include <sys/types.h>

#define TRANSPORT_WAIT (-1) /* nothing now; to read: the socket will have bytes, to write: it will take some */
#define TRANSPORT_FAILED (-2)
/* Nothing now, and the socket tells when by the other direction: a read waits until it takes bytes, a write until it has
 * some. TLS shakes hands in the middle of either. */
#define TRANSPORT_WAIT_OTHER (-3)

/* The least room to read with. It is the most that one record of TLS holds, so nothing decrypted is ever left behind
 * where a poll of the socket would not show it. */
#define TRANSPORT_READ_LEAST 16384

struct transport {
	/* Bytes read or written; 0 from read: the peer has ended; else one of the above. A write that was told to wait is
	 * asked again with the same bytes first; more may follow them, and they may lie elsewhere. */
	ssize_t (*read)(void *state, int fd, void *bytes, size_t room);
	ssize_t (*write)(void *state, int fd, const void *bytes, size_t length);
	void (*finish)(void *state, int fd); /* tells the peer that nothing more comes */
	void (*close)(void *state, int fd);  /* frees the state too */
};

/* recv(2), send(2), shutdown(2), close(2); its state is NULL. errno tells why something failed. */
extern const struct transport transport_plain;

#endif
