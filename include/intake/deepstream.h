/* deepstream: NVIDIA DeepStream's protobuf messages, as its Redis adapter writes them, become sightings: what one camera
 * saw of one registered label at one moment. Several objects of a label in one picture are one sighting. Labels that the
 * registry has no row for, and detections below the registry's confidence, are passed over: that is most of what an
 * analytics box sends. */
#ifndef INTAKE_DEEPSTREAM_H
#define INTAKE_DEEPSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "base/uuid.h"
#include "intake/arena.h"
#include "jurisdiction/policy.h"
#include "workflow/command.h"

#define DEEPSTREAM_SIGHTINGS_MOST 16         /* registered labels in one picture */
#define DEEPSTREAM_NAME_MOST COMMAND_ID_MOST /* bytes of a sensor's id, and of a label */
#define DEEPSTREAM_OBJECT_MOST 63            /* bytes of an object's or event's id */
#define DEEPSTREAM_FRAME_ID_MOST 128

struct sighting {
	struct uuid key; /* the same for the same picture and label, however often the producer sends it */
	char camera[DEEPSTREAM_NAME_MOST + 1];
	char label[DEEPSTREAM_NAME_MOST + 1];
	char event[DEEPSTREAM_NAME_MOST + DEEPSTREAM_OBJECT_MOST +
	           2];     /* "sensor/object", empty when the object has no id */
	double confidence; /* of the surest object */
	int64_t seen_at_ms;
};

/* A Frame or a Message → what is to be told the workflow, perhaps nothing. The arena is reset and used for unpacking.
 * false with *why when the bytes are neither, or their values cannot be. */
_Bool deepstream_read(const struct policy *policy, struct arena *arena, const uint8_t *bytes, size_t length,
                      struct sighting out[DEEPSTREAM_SIGHTINGS_MOST], size_t *count, struct refusal *why) MUST_USE;

#endif
