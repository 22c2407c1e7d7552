import type { DocumentNode, GraphQLSchema, IntrospectionQuery } from "graphql";
import {
  TypeInfo,
  buildClientSchema,
  getIntrospectionQuery,
  parse,
  print,
  validate,
  visit,
  visitWithTypeInfo,
} from "graphql";

import { post, read } from "./gateway";
import type { Tab } from "./tabs";
import { TABS } from "./tabs";

/** The served schema, or null where the gateway doesn't tell it. */
export async function loadSchema(): Promise<GraphQLSchema | null> {
  const response = await post({ query: getIntrospectionQuery(), operationName: "IntrospectionQuery" });
  const { data } = await read(response);
  return data ? buildClientSchema(data as unknown as IntrospectionQuery) : null;
}

export function hasField(schema: GraphQLSchema | null, type: "mutation" | "subscription", field: string): boolean {
  const root = type === "mutation" ? schema?.getMutationType() : schema?.getSubscriptionType();
  return root?.getFields()[field] !== undefined;
}

function isRoot(schema: GraphQLSchema, type: unknown): boolean {
  return type === schema.getQueryType() || type === schema.getMutationType() || type === schema.getSubscriptionType();
}

/** The document without the result types and fields that this gateway doesn't have yet; root fields stay. */
function fitted(document: DocumentNode, schema: GraphQLSchema): DocumentNode {
  const at = new TypeInfo(schema);
  const visitor = visitWithTypeInfo(at, {
    InlineFragment: ({ typeCondition }) => (typeCondition && schema.getType(typeCondition.name.value) ? undefined : null),
    Field: () => (at.getFieldDef() || !at.getParentType() || isRoot(schema, at.getParentType()) ? undefined : null),
  });
  return visit(document, visitor);
}

/** The tabs whose operations the gateway serves; all of them where its schema is not told. */
export function servedTabs(schema: GraphQLSchema | null): readonly Tab[] {
  return TABS.flatMap((tab) => {
    const document = schema ? fitted(parse(tab.document), schema) : parse(tab.document);
    const text = print(document);
    return schema && validate(schema, parse(text)).length > 0 ? [] : [{ ...tab, document: text }];
  });
}
