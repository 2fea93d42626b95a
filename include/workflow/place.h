/* place: positions and the distances between them. */
#ifndef WORKFLOW_PLACE_H
#define WORKFLOW_PLACE_H

#include <stdint.h>

/* Degrees × 10^7 as integers, as stored; PLACE_NONE when there is no position. */
#define PLACE_NONE INT32_MIN
/* A position as one number, for an event's value, and back. 0,0 is none, so 0 is none. */
int64_t place_pack(int32_t lat_e7, int32_t lon_e7);
void place_unpack(int64_t packed, int32_t *lat_e7, int32_t *lon_e7);
/* Metres between two positions (equirectangular, good to a per mille within a city). */
double place_metres(int32_t lat1_e7, int32_t lon1_e7, int32_t lat2_e7, int32_t lon2_e7);
/* GCJ-02 → WGS-84 (inverse of the published obfuscation by iteration; error under 1 m). Outside China: unchanged. */
void place_gcj02_to_wgs84(double *lat, double *lon);

#endif
