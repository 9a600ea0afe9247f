/**
 * A plugin of typedoc for how this project is written: a file's header is the text of its namespace, and a class of
 * Effect shows what it adds, not what it inherits.
 */
import { readFileSync } from "node:fs"
import { type Application, Comment, Converter, type DeclarationReflection, ReflectionKind } from "typedoc"

/** The header of a source file. */
const headerOf = (file: string): string | undefined =>
  /^\/\*\*\n([^]*?)\n? \*\//
    .exec(readFileSync(file, "utf8"))?.[1]
    ?.split("\n")
    .map((line) => line.replace(/^ \* ?/, ""))
    .join("\n")

export const load = (app: Application): void => {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection: DeclarationReflection) => {
    if (!reflection.kindOf(ReflectionKind.SomeModule)) return
    const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName
    const text = file === undefined ? undefined : headerOf(file)
    if (text !== undefined) reflection.comment = new Comment([{ kind: "text", text }])
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of project.getReflectionsByKind(ReflectionKind.Class) as Array<DeclarationReflection>) {
      delete reflection.extendedTypes
      for (const member of reflection.children ?? []) {
        if (member.kindOf(ReflectionKind.Constructor)) project.removeReflection(member)
        delete member.inheritedFrom
        delete member.overwrites
        delete member.getSignature?.overwrites
        delete member.defaultValue
      }
    }
  })
}
