// The program: the runtime behind the command line.
#include "runtime/runtime.h"
#include "surface/surface.h"

int main(int argc, char** argv) { return alos::surface::run(argc, argv, alos::runtime::open); }
