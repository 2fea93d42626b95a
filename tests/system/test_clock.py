#!/usr/bin/env python3
"""The clock through a real daemon: an emergency moves the deadlines of its area, all of it survives a kill in the middle,
and the database proves every step of it."""
import json
import os
import subprocess
import sys

from harness import BUILD, World, run_tests

GRIDLOOP = os.path.join(BUILD, "gridloop")
