/* Transport-wide feedback, read and followed: see feedback.c. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyTypeObject TrendlineType;

typedef struct {
    double began, last; /* when its packets were sent, and had arrived as a whole */
} Burst;

extern const Burst NO_BURST;

/* Count packets, in order of sending; after the last one of a call, with `NO_BURST` at its begin, `end_burst`. */
void count_packet(PyObject *trendline, Burst *burst, double sent, double arrived);
void end_burst(PyObject *trendline, const Burst *burst);

extern const char read_feedback_doc[];
PyObject *read_feedback(PyObject *self, PyObject *argument);
