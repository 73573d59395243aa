# Writes OUTPUT, a source file that holds FILES, which are named as they are under FOLDER.
set(arrays "")
set(rows "")
set(number 0)
foreach(file ${FILES})
  file(READ ${FOLDER}/${file} bytes HEX)
  file(SHA256 ${FOLDER}/${file} digest)
  string(SUBSTRING ${digest} 0 16 tag)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," characters "${bytes}")
  string(APPEND arrays "constexpr char file_${number}[] = {${characters}0};\n")
  string(APPEND rows "    {\"${file}\", \"${tag}\", {file_${number}, sizeof file_${number} - 1}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"agent/serve/embedded.hpp\"

namespace flipback::serve {

namespace {

${arrays}
constexpr embedded_file files[] = {
${rows}};

}  // namespace

std::span<const embedded_file> embedded() {
  return files;
}

}  // namespace flipback::serve
")
