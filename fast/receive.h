/* What comes in: see receive.c. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define HELD 16 /* datagrams taken in at once */

extern PyTypeObject InboxType;

extern const char open_packet_doc[];
PyObject *open_packet(PyObject *self, PyObject *argument);
