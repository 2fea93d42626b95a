/* camera_post: one post of a camera, as its adapter read it from the device's own format: names that the device gives
 * itself and its label, the most particular first, and what it says of the alert. Absent texts are "", absent times 0. */
#ifndef CLI_CAMERA_POST_H
#define CLI_CAMERA_POST_H

#include <stddef.h>
#include <stdint.h>

#define POST_NAMES_MOST 8
#define POST_NAME_SIZE 101
#define POST_LABELS_MOST 2
#define POST_LABEL_SIZE 65
#define POST_EVENT_SIZE 129
#define POST_IDENTITY_SIZE 512
#define POST_BYTES_MOST 131072 /* of one post in its own format */
#define POST_DEPTH_MOST 32     /* elements or objects within each other */

struct camera_post {
	char names[POST_NAMES_MOST][POST_NAME_SIZE];
	_Bool with_channel[POST_NAMES_MOST]; /* the name says which channel it is */
	int name_count;
	char channel[POST_LABEL_SIZE];
	char labels[POST_LABELS_MOST][POST_LABEL_SIZE];
	int label_count;
	char event[POST_EVENT_SIZE];
	char identity[POST_IDENTITY_SIZE]; /* of the post within its camera and label: the same when it is sent again */
	double confidence;                 /* 0: the device gives none */
	int64_t seen_ms, began_ms;
	uint32_t posts;
	_Bool ended;
};

/* Who takes what an adapter reads. */
struct post_sink {
	void (*take)(void *ctx, const struct camera_post *p);
	void (*wrong)(void *ctx, const char *sentence); /* bytes that are no post; the adapter goes on behind them */
	void (*other)(void *ctx);                       /* a message that is no alert */
	void *ctx;
};

/* A format's reader; bytes come in pieces of any size. */
struct adapter {
	const char *name;
	void *(*open)(const struct post_sink *sink);
	void (*feed)(void *a, const char *bytes, size_t length);
	void (*close)(void *a); /* what is incomplete is told as wrong */
};
extern const struct adapter hikvision_adapter, frigate_adapter, deepstream_adapter;

/* Appends a name unless it is empty or there are too many; too long ones are left out. */
void post_name(struct camera_post *p, _Bool with_channel, const char *name);
void post_label(struct camera_post *p, const char *label);

#endif
