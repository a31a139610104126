// All of Splot's public interface.
#pragma once

#include "splot/core/version.h"
