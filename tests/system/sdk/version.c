/* Compiled and linked as C99: the header is C, and the library needs no C++ library. */
#include <edgeinfer/preprocess.h>
#include <stdio.h>

int main(void) {
  edgeinfer_preprocessor* preprocessor = NULL;
  if (edgeinfer_preprocess_version() != EDGEINFER_PREPROCESS_VERSION) return 1;
  if (edgeinfer_preprocessor_create(NULL, NULL, 1, &preprocessor) != EDGEINFER_BAD_ARGUMENT) {
    return 2;
  }
  edgeinfer_preprocessor_destroy(preprocessor);
  printf("%d\n", (int)EDGEINFER_PREPROCESS_VERSION);
  return 0;
}
