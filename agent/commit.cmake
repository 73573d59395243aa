# Writes OUTPUT, a source file that holds the commit of SOURCE, where that differs from what it says: run with each build, for a commit changes no
# file that a build looks at. COMMIT, where it is given, is taken as it is: a package is built of a copy without git's history.
cmake_minimum_required(VERSION 3.25)
if(NOT COMMIT)
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=* OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT COMMIT MATCHES "^[0-9a-f]+(-dirty)?$")
  set(COMMIT unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "namespace flipback {\nextern const char* const built_of;\nconst char* const built_of = \"@COMMIT@\";\n}\n" @ONLY)
