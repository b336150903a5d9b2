# Writes OUT: the prelude's functions as C++ strings, one entry per `fn`, so that the parser sees only those a script uses.
set(entries "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(APPEND entries "    {\"prelude/${name}\", R\"bpc_prelude(${text})bpc_prelude\"},\n")
endforeach()
file(WRITE ${OUT} "#include \"frontend/prelude/prelude.h\"\n\nnamespace bpc::frontend {\n\nconst std::vector<PreludeFile>& prelude_files() {\n  static const std::vector<PreludeFile> files{\n${entries}  };\n  return files;\n}\n\n}  // namespace bpc::frontend\n")
