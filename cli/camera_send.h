/* camera_send: alarms on their way: to the cameras' stream of a Redis, or as lines of JSON for who only looks. */
#ifndef CLI_CAMERA_SEND_H
#define CLI_CAMERA_SEND_H

#include "client.h"

struct camera_send;

/* address NULL: lines of JSON on stdout. NULL with *why. */
struct camera_send *camera_send_open(const char *address, const char *stream, const struct login *as,
                                     struct trouble *why) MUST_USE;
/* false with *why: the connection is lost; what was not taken may be sent again, its keys are the same. */
_Bool camera_send(struct camera_send *s, Gridloop__V1__Alarm *alarm, struct trouble *why) MUST_USE;
_Bool camera_send_flush(struct camera_send *s, struct trouble *why) MUST_USE;
void camera_send_close(struct camera_send *s); /* NULL is fine */

#endif
