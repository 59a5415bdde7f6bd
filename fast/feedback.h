/* What transport-wide feedback says, read and followed in C: see feedback.c. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyTypeObject TrendlineType;

extern const char read_feedback_doc[];
PyObject *read_feedback(PyObject *self, PyObject *argument);
