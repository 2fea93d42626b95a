/* cameras: the registry of cameras, a part of the policy: where each camera stands and whose it is (cameras.csv), and
 * what it means by a label (camera_labels.csv), for itself, for all of its owner or for every camera. Any thread may ask.
 *   cameras.csv        camera,name,gateway,grid,lat,lon,device
 *   camera_labels.csv  camera,label,category,confidence,dwell,repeat,gap    camera: one, a gateway's, or "*" */
#ifndef JURISDICTION_CAMERAS_H
#define JURISDICTION_CAMERAS_H

#include <stddef.h>
#include <stdint.h>

struct camera {
	const char *id, *name;
	const char *gateway;    /* its owner's identity, the only one that speaks for it */
	const char *device;     /* what it calls itself, for who turns its messages into alarms; NULL: its id */
	int64_t grid;           /* 0: the one its place lies in */
	int32_t lat_e7, lon_e7; /* WGS-84 */
};

/* What a camera means by a label, and when that becomes a case. */
struct camera_label {
	const char *of; /* a camera or a gateway; NULL: every camera */
	const char *label;
	int32_t category;
	double confidence; /* least; 0: none is asked for */
	int64_t dwell_ms;  /* it must have lasted this long first … */
	int32_t repeat;    /* … or been posted this often; 0 and 0: a case at once */
	int64_t gap_ms;    /* silent for longer: it is over; 0: rules' alarm_window_ms */
};

struct policy;

/* Look-ups: NULL when unknown; a NULL text or camera is unknown. */
const struct camera *policy_camera(const struct policy *p, const char *id);
/* The camera that this gateway's device calls itself so; case is ignored. */
const struct camera *policy_camera_device(const struct policy *p, const char *gateway, const char *device);
/* What the camera means by it: the row for itself, else for its gateway, else for all. */
const struct camera_label *policy_camera_label(const struct policy *p, const struct camera *k, const char *label);

/* The i-th, NULL past the end. */
const struct camera *policy_camera_at(const struct policy *p, size_t i);
const struct camera_label *policy_camera_label_at(const struct policy *p, size_t i);

#endif
