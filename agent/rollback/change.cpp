#include "agent/rollback/change.hpp"

namespace flipback::rollback {

bool file_image::says_the_same_as(const file_image& other) const {
  return is == other.is && (is != kind::regular || bytes == other.bytes) && (is != kind::link || target == other.target);
}

}  // namespace flipback::rollback
