#include "backend/llvm/code.h"

#include <llvm/IR/MDBuilder.h>

#include <algorithm>

#include "backend/llvm/context.h"
#include "support/internal_error.h"

namespace bpc::backend {

using plan::BufferId;
using plan::RegisterId;
using plan::Storage;

namespace {

constexpr std::size_t kSmallBuffer = 256, kMostLocal = 1 << 15;  // bytes: of one, of all

// In the order of first mention.
template <class T>
void make_unique(std::vector<T>& list) {
  std::vector<T> seen;
  for (const T& item : list)
    if (std::find(seen.begin(), seen.end(), item) == seen.end()) seen.push_back(item);
  list = std::move(seen);
}

}  // namespace

void ValueTable::restore(std::size_t mark) {
  for (; changes_.size() > mark; changes_.pop_back()) entries_[changes_.back().first] = changes_.back().second;
}

Code::Code(const plan::Plan& plan, llvm::Module& module)
    : plan(plan), module(module), builder(module.getContext()), registers_(plan.registers.size()), bases_(plan.storages.size()) {}

// ---- functions ----

Code::Inside::Inside(Code& code, llvm::Function& function, Sees sees)
    : code_(code),
      place_(code.builder.saveIP()),
      buffers_(code.buffers_),
      context_(code.context_),
      registers_(code.registers_.mark()),
      bases_(code.bases_.mark()),
      offsets_(code.offsets_),
      seen_(code.seen_) {
  code.builder.SetInsertPoint(llvm::BasicBlock::Create(code.module.getContext(), "entry", &function));
  if (sees == Sees::outer) {
    code.seen_.push_back(&function);
    return;
  }
  code.offsets_.clear();
  code.seen_ = {&function};
  const bool has_context = sees == Sees::context;
  code.buffers_ = has_context ? function.getArg(0) : nullptr;
  code.context_ = has_context ? function.getArg(1) : nullptr;
  if (!has_context) return;
  code.buffers_->setName("buffers");
  code.context_->setName("context");
}

Code::Inside::~Inside() {
  code_.builder.restoreIP(place_);
  code_.buffers_ = buffers_;
  code_.context_ = context_;
  code_.registers_.restore(registers_);
  code_.bases_.restore(bases_);
  code_.offsets_ = std::move(offsets_);
  code_.seen_ = std::move(seen_);
}

llvm::Function* Code::add_function(const char* name, llvm::GlobalValue::LinkageTypes linkage, llvm::Type* result,
                                   llvm::ArrayRef<llvm::Type*> parameters) {
  auto* function = llvm::Function::Create(llvm::FunctionType::get(result, parameters, false), linkage, name, module);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  return function;
}

void Code::outline(const char* name, bool small, Given given, const std::vector<RegisterId>& results, const std::function<void()>& body) {
  std::vector<std::uint32_t> storages;
  std::vector<llvm::Value*> arguments;
  for (BufferId id : given.buffers) {
    base(id);
    storages.push_back(plan.at(id).storage.index);
  }
  make_unique(storages);
  make_unique(given.offsets);
  std::erase(given.offsets, 0);
  make_unique(given.registers);
  std::erase_if(given.registers, [&](RegisterId id) { return llvm::isa_and_nonnull<llvm::Constant>(find(id)); });  // stay constants
  for (std::uint32_t storage : storages) arguments.push_back(bases_.find(storage, seen_));
  std::vector<llvm::Type*> parameters(storages.size(), builder.getPtrTy());
  for (std::int64_t offset : given.offsets) {
    parameters.push_back(builder.getInt64Ty());
    arguments.push_back(integer(offset));
  }
  for (RegisterId id : given.registers) {
    parameters.push_back(type(id));
    arguments.push_back(get(id));
  }
  std::vector<llvm::Type*> returned;
  for (RegisterId id : results) returned.push_back(type(id));
  auto* all_results = llvm::StructType::get(module.getContext(), returned);
  // More than two come back through memory: x86 would return a third real on the x87 stack, and LLVM 19 at -O0 takes it from there with an
  // instruction that may name a register which it cannot encode.
  const bool in_memory = results.size() > 2;
  llvm::Type* result = returned.empty() || in_memory ? builder.getVoidTy() : static_cast<llvm::Type*>(all_results);
  if (in_memory) {
    arguments.push_back(local(all_results));
    parameters.push_back(builder.getPtrTy());
  }
  llvm::Function* made = add_function(name, llvm::Function::InternalLinkage, result, parameters);
  if (small) made->addFnAttr(llvm::Attribute::AlwaysInline);
  for (unsigned i = 0; i < storages.size(); ++i) {
    made->addParamAttr(i, llvm::Attribute::NoAlias);
    made->addParamAttr(i, llvm::Attribute::getWithAlignment(module.getContext(), llvm::Align(plan::kAlignment)));
  }
  {
    const Inside inside(*this, *made, Inside::Sees::nothing);
    llvm::Argument* argument = made->arg_begin();
    for (std::uint32_t storage : storages) bases_.set(storage, argument++, made);
    for (std::int64_t offset : given.offsets) offsets_[offset] = argument++;
    for (RegisterId id : given.registers) set(id, argument++);
    body();
    if (result->isVoidTy()) {
      for (unsigned i = 0; i < results.size(); ++i)
        builder.CreateStore(get(results[i]), builder.CreateStructGEP(all_results, made->getArg(made->arg_size() - 1), i));
      builder.CreateRetVoid();
    } else {
      llvm::Value* all = llvm::PoisonValue::get(result);
      for (unsigned i = 0; i < results.size(); ++i) all = builder.CreateInsertValue(all, get(results[i]), i);
      builder.CreateRet(all);
    }
  }
  llvm::Value* call = builder.CreateCall(made, arguments);
  for (unsigned i = 0; i < results.size(); ++i)
    set(results[i],
        in_memory ? builder.CreateLoad(returned[i], builder.CreateStructGEP(all_results, arguments.back(), i), plan.at(results[i]).name)
                  : builder.CreateExtractValue(call, i, plan.at(results[i]).name));
}

// ---- registers ----

llvm::Type* Code::type(Element element) {
  switch (element) {
    case Element::f32:
      return builder.getFloatTy();
    case Element::f64:
      return builder.getDoubleTy();
    case Element::i32:
      return builder.getInt32Ty();
    case Element::i64:
      return builder.getInt64Ty();
    case Element::boolean:
      return builder.getInt1Ty();
  }
  return nullptr;
}

llvm::Value* Code::get(RegisterId id) {
  if (llvm::Value* value = find(id)) return value;
  if (plan.at(id).is_address) return builder.CreateLoad(builder.getPtrTy(), frame_slot(id));
  return load(element(id), frame_slot(id));
}

llvm::Value* Code::frame_slot(RegisterId id) {
  if (auto argument = arguments_.find(id.index); argument != arguments_.end()) return bound(argument->second);
  if (!plan.frame.valid()) throw InternalError("emit", "a register is read before it is made");
  return builder.CreateConstInBoundsGEP1_64(builder.getInt64Ty(), base(plan.frame), id.index);
}

void Code::put_in_frame(RegisterId id) {
  llvm::Value* value = get(id);
  if (plan.at(id).is_address)
    builder.CreateStore(value, frame_slot(id));
  else
    store(value, element(id), frame_slot(id));
}

llvm::Value* Code::convert(llvm::Value* value, Element from, Element to) {
  if (from == to) return value;
  llvm::Type* type = this->type(to);
  if (to == Element::boolean)
    return is_real(from) ? builder.CreateFCmpUNE(value, llvm::ConstantFP::get(value->getType(), 0))
                         : builder.CreateICmpNE(value, llvm::ConstantInt::get(value->getType(), 0));
  if (from == Element::boolean) return is_real(to) ? builder.CreateUIToFP(value, type) : builder.CreateZExt(value, type);
  if (is_real(from) && is_real(to)) return builder.CreateFPCast(value, type);
  if (is_real(to)) return builder.CreateSIToFP(value, type);
  if (is_real(from)) return builder.CreateIntrinsic(llvm::Intrinsic::fptosi_sat, {type, value->getType()}, {value});
  if (auto* index = llvm::dyn_cast<llvm::TruncInst>(value); index && index->hasNoSignedWrap()) return index->getOperand(0);  // of a loop
  return builder.CreateSExtOrTrunc(value, type);
}

llvm::Value* Code::form(const plan::Affine& at, Indices indices, llvm::Value* offset) {
  llvm::Value* sum = nullptr;
  auto add = [&](llvm::Value* value, std::int64_t factor) {
    if (factor == 0) return;
    llvm::Value* term = factor == 1 ? value : builder.CreateNSWMul(value, integer(factor));
    sum = sum ? builder.CreateNSWAdd(sum, term) : term;
  };
  for (const auto& [reg, factor] : at.terms) add(get(reg), factor);
  if (at.offset != 0) add(offset, 1);
  for (std::size_t i = 0; i < at.strides.size(); ++i) add(indices[i], at.strides[i]);
  return sum ? sum : integer(0);
}

// ---- memory ----

llvm::Type* Code::memory_type(Element element) {
  return element == Element::boolean ? builder.getInt8Ty() : type(element);
}

llvm::Value* Code::bound(std::size_t index) {
  return builder.CreateLoad(builder.getPtrTy(), builder.CreateConstInBoundsGEP1_64(builder.getPtrTy(), buffers_, index));
}

llvm::Value* Code::in_arena(const Storage& storage) {
  const std::size_t arena = plan.parameters.size() + plan.outputs.size() + plan.constants.size();
  return builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), bound(arena), storage.offset);
}

// Computed at the top of the function, where it serves all later uses.
llvm::Value* Code::base(BufferId id) {
  const std::uint32_t number = plan.at(id).storage.index;
  if (llvm::Value* known = bases_.find(number, seen_)) return known;
  llvm::IRBuilder<>::InsertPointGuard guard(builder);
  llvm::BasicBlock& first = function()->getEntryBlock();
  builder.SetInsertPoint(&first, first.begin());
  const Storage& storage = plan.storage(id);
  const std::size_t outputs = plan.parameters.size(), constants = outputs + plan.outputs.size();
  llvm::Value* base = nullptr;
  switch (storage.kind) {
    case Storage::Kind::argument:
      base = bound(storage.index);
      break;
    case Storage::Kind::output:
      base = bound(outputs + storage.index);
      break;
    case Storage::Kind::constant:
      base = bound(constants + storage.index);
      break;
    case Storage::Kind::arena:  // an empty tensor is never read or written
      base = storage.bytes == 0 ? static_cast<llvm::Value*>(llvm::ConstantPointerNull::get(builder.getPtrTy())) : in_arena(storage);
      break;
    case Storage::Kind::entry:
      throw InternalError("codegen", "an entry of a tape that no pop has given");
  }
  bases_.set(number, base, function());
  return base;
}

llvm::Value* Code::address(const plan::Access& access, Indices indices) {
  const auto given = offsets_.find(access.at.offset);
  llvm::Value* offset = given == offsets_.end() ? integer(access.at.offset) : given->second;
  return builder.CreateInBoundsGEP(memory_type(plan.at(access.buffer).element), base(access.buffer), form(access.at, indices, offset));
}

llvm::Value* Code::load(Element element, llvm::Value* address) {
  llvm::Value* value = builder.CreateAlignedLoad(memory_type(element), address, llvm::Align(element_size(element)));
  return element == Element::boolean ? builder.CreateICmpNE(value, builder.getInt8(0)) : value;
}

void Code::store(llvm::Value* value, Element element, llvm::Value* address) {
  if (element == Element::boolean) value = builder.CreateZExt(value, builder.getInt8Ty());
  builder.CreateAlignedStore(value, address, llvm::Align(element_size(element)));
}

void Code::copy(BufferId from, BufferId to) {
  if (plan.at(from).storage == plan.at(to).storage) return;
  llvm::MaybeAlign align(plan::kAlignment);
  builder.CreateMemCpy(base(to), align, base(from), align, plan.storage(to).bytes);
}

llvm::AllocaInst* Code::local(llvm::Type* type, std::uint64_t count, const char* name) {
  llvm::BasicBlock& first = function()->getEntryBlock();
  llvm::IRBuilder<> at(&first, first.begin());
  return at.CreateAlloca(count == 1 ? type : llvm::ArrayType::get(type, count), nullptr, name);
}

void Code::keep_small_buffers() {
  std::size_t held = 0;
  for (std::size_t i = 0; i < plan.storages.size(); ++i) {
    const Storage& storage = plan.storages[i];
    if (storage.kind != Storage::Kind::arena || storage.bytes == 0 || storage.bytes > kSmallBuffer) continue;
    held += storage.bytes;
    if (held > kMostLocal) return;
    llvm::AllocaInst* made = local(builder.getInt8Ty(), storage.bytes, "small");
    made->setAlignment(llvm::Align(plan::kAlignment));
    bases_.set(static_cast<std::uint32_t>(i), made, function());
  }
}

// ---- forms of code ----

// The branch back to another turn; nullptr where there is none.
llvm::BranchInst* Code::loop_back(llvm::Value* from, llvm::Value* to, std::int64_t by,
                                  const std::function<void(llvm::Value* index)>& body) {
  auto* first = llvm::dyn_cast<llvm::ConstantInt>(from);
  auto* limit = llvm::dyn_cast<llvm::ConstantInt>(to);
  bool known = first && limit;
  if (known && first->getSExtValue() >= limit->getSExtValue()) return nullptr;
  llvm::BasicBlock *before = builder.GetInsertBlock(), *turn = block("loop"), *done = block("done");
  if (known)
    builder.CreateBr(turn);
  else
    builder.CreateCondBr(builder.CreateICmpSLT(from, to), turn, done);
  builder.SetInsertPoint(turn);
  llvm::PHINode* index = builder.CreatePHI(builder.getInt64Ty(), 2, "i");
  index->addIncoming(from, before);
  body(index);
  llvm::Value* next = builder.CreateNSWAdd(index, integer(by));
  index->addIncoming(next, builder.GetInsertBlock());
  llvm::BranchInst* back = builder.CreateCondBr(builder.CreateICmpSLT(next, to), turn, done);
  builder.SetInsertPoint(done);
  return back;
}

void Code::loop(llvm::Value* from, llvm::Value* to, std::int64_t by, Shape shape, const std::function<void(llvm::Value* index)>& body) {
  if (llvm::BranchInst* back = loop_back(from, to, by, body)) set_shape(back, shape);
}

void Code::loop_at_once(std::int64_t turns, std::int64_t width, const std::function<void(llvm::Value* index)>& body) {
  if (turns <= 0) return;
  if (turns == 1) return body(integer(0));
  auto count = [&](std::int64_t value) { return builder.getInt32(static_cast<std::uint32_t>(value)); };
  set_properties(loop_back(integer(0), integer(turns), 1, body), {{"llvm.loop.vectorize.width", count(width)},
                                                                  {"llvm.loop.interleave.count", count(turns / width)},
                                                                  {"llvm.loop.unroll.disable", nullptr}});
}

void Code::either(llvm::Value* holds, const std::function<void()>& then, const std::function<void()>& otherwise) {
  llvm::BasicBlock *first = block("then"), *second = block("otherwise"), *joined = block("joined");
  builder.CreateCondBr(holds, first, second);
  for (auto [side, body] : {std::pair(first, &then), {second, &otherwise}}) {
    builder.SetInsertPoint(side);
    (*body)();
    builder.CreateBr(joined);
  }
  builder.SetInsertPoint(joined);
}

void Code::set_shape(llvm::BranchInst* back, Shape shape) {
  switch (shape) {
    case Shape::ordinary:
      return;
    case Shape::compact:
      return set_properties(back, {{"llvm.loop.interleave.count", builder.getInt32(1)}, {"llvm.loop.unroll.runtime.disable", nullptr}});
    case Shape::rolled:
      return set_properties(back, {{"llvm.loop.vectorize.enable", builder.getFalse()}, {"llvm.loop.unroll.disable", nullptr}});
  }
}

void Code::set_properties(llvm::BranchInst* back, std::initializer_list<std::pair<const char*, llvm::Constant*>> properties) {
  llvm::LLVMContext& context = module.getContext();
  std::vector<llvm::Metadata*> nodes{nullptr};
  for (const auto& [name, value] : properties) {
    std::vector<llvm::Metadata*> node{llvm::MDString::get(context, name)};
    if (value) node.push_back(llvm::ConstantAsMetadata::get(value));
    nodes.push_back(llvm::MDNode::get(context, node));
  }
  llvm::MDNode* loop = llvm::MDNode::getDistinct(context, nodes);
  loop->replaceOperandWith(0, loop);
  back->setMetadata(llvm::LLVMContext::MD_loop, loop);
}

void Code::set_pure(llvm::Function& function) {
  function.setMemoryEffects(llvm::MemoryEffects::none());
  function.addFnAttr(llvm::Attribute::WillReturn);
}

llvm::FunctionCallee Code::callee(const std::string& name, llvm::Type* result, llvm::ArrayRef<llvm::Type*> parameters) {
  llvm::FunctionCallee callee = module.getOrInsertFunction(name, llvm::FunctionType::get(result, parameters, false));
  llvm::cast<llvm::Function>(callee.getCallee())->addFnAttr(llvm::Attribute::NoUnwind);
  return callee;
}

llvm::Value* Code::context_field(std::size_t offset) {
  return builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), context_, offset);
}

void Code::leave_unless_zero(llvm::Value* status) {
  llvm::BasicBlock *stop = block("stop"), *go_on = block("go_on");
  builder.CreateCondBr(builder.CreateICmpEQ(status, integer(0)), go_on, stop,
                       llvm::MDBuilder(module.getContext()).createLikelyBranchWeights());
  builder.SetInsertPoint(stop);
  builder.CreateRet(status);
  builder.SetInsertPoint(go_on);
}

void Code::check(llvm::Value* holds, plan::SiteId at, std::uint32_t which, llvm::Value* start, const std::vector<plan::Datum>& shown) {
  llvm::BasicBlock *stop = block("stop"), *go_on = block("go_on");
  builder.CreateCondBr(holds, go_on, stop, llvm::MDBuilder(module.getContext()).createLikelyBranchWeights());
  builder.SetInsertPoint(stop);
  llvm::Type* pointer = builder.getPtrTy();
  llvm::FunctionCallee hook =
      callee("bpc_hook_stop", builder.getVoidTy(), {pointer, builder.getInt32Ty(), builder.getInt32Ty(), builder.getInt64Ty(), pointer});
  llvm::cast<llvm::Function>(hook.getCallee())->addFnAttr(llvm::Attribute::Cold);
  builder.CreateCall(hook, {context_, site(at), builder.getInt32(which), start ? start : integer(0), pointers(shown)});
  builder.CreateRet(integer(1));
  builder.SetInsertPoint(go_on);
}

llvm::Value* Code::pointers(const std::vector<plan::Datum>& items) {
  llvm::Type* pointer = builder.getPtrTy();
  if (items.empty()) return llvm::ConstantPointerNull::get(builder.getPtrTy());
  llvm::AllocaInst* array = local(pointer, items.size() + 1, "items");
  for (std::size_t i = 0; i < items.size(); ++i) {
    llvm::Value* data = nullptr;
    if (const auto* scalar = std::get_if<RegisterId>(&items[i])) {
      data = local(memory_type(element(*scalar)));
      store(get(*scalar), element(*scalar), data);
    } else {
      data = base(std::get<BufferId>(items[i]));
    }
    builder.CreateStore(data, builder.CreateConstInBoundsGEP1_64(pointer, array, i));
  }
  return array;
}

}  // namespace bpc::backend
